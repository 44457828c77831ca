/* A folder of its own for a store, and ways to look into it and to take it away. */
#ifndef TONEARM_TESTS_CONTRACT_BLOB_BLOB_DIR_FIXTURE_H
#define TONEARM_TESTS_CONTRACT_BLOB_BLOB_DIR_FIXTURE_H

#include "adapter/dir/dir.h"

struct dir_fixture {
	char path[48], hidden[56];
};
struct dir_path_text {
	char text[256];
};

/* Makes the folder; 0, or -1 after words on stderr. */
int dir_fixture_start(struct dir_fixture *f);
/* Removes it with all that is in it. */
void dir_fixture_stop(struct dir_fixture *f);
struct blob_store *dir_fixture_open(struct dir_fixture *f, const char *name);
struct dir_path_text dir_fixture_path(const struct dir_fixture *f, const char *name,
				      const struct blob_id *id, const char *ending);
/* How many files there are of this id, visible or not. */
int64_t dir_fixture_files(const struct dir_fixture *f, const char *name, const struct blob_id *id);
/* As a disk that is not mounted; and mounted again. */
void dir_fixture_hide(struct dir_fixture *f);
void dir_fixture_show(struct dir_fixture *f);

#endif
