/* What the parts of the folder store share. Only adapter/dir/ includes it. */
#ifndef TONEARM_ADAPTER_DIR_PRIVATE_H
#define TONEARM_ADAPTER_DIR_PRIVATE_H

#include <limits.h>
#include <stdatomic.h>

#include "adapter/dir/dir.h"

#define DIR_CHUNK 261120  /* bytes: what readers are told to ask for at once, as of GridFS */
#define DIR_META_MAX 4096 /* bytes of a metadata file; the longest of ours has about 2,500 */
#define DIR_ROOT_MAX 3072 /* bytes of <path>/<name> */
#define DIR_NAME_MAX 72   /* of it, for /<name> */
#define DIR_SHARD_DIGITS 6

struct blob_dir {
	struct blob_store port;
	/* set once */
	char path[DIR_ROOT_MAX]; /* the operator's folder */
	char root[DIR_ROOT_MAX]; /* the store's, below it */
	/* shared */
	atomic_uint shard; /* 1 + the first digits of the id whose folders are on the disk */
};

static inline struct blob_dir *
blob_dir_of(struct blob_store *s)
{
	return CONTAINER_OF(s, struct blob_dir, port);
}

/* A file of one id (path.c). */
struct dir_path {
	char text[PATH_MAX];
};
enum dir_file { DIR_BLOB, DIR_PART, DIR_META };
struct dir_path dir_path_of(const struct blob_dir *d, const struct blob_id *id, enum dir_file file);

/* What errno means to a caller, with words: a full disk is UNAVAILABLE, a missing file NOT_FOUND. */
int dir_err(struct err *e, int errno_value, const char *what);

/* Folders (folder.c). */
/* Makes the store's own folder; UNAVAILABLE when the operator's is missing or cannot be used. */
int dir_root_make(const struct blob_dir *d, struct err *e);
/* Makes the folders of an id and has them on the disk. */
int dir_shard_make(struct blob_dir *d, const struct blob_id *id, struct err *e);
/* Removes the folders of an id if they are old and empty. */
void dir_shard_tidy(const struct blob_dir *d, const struct blob_id *id);
/* Has the names in the id's folder on the disk. */
int dir_shard_sync(const struct blob_dir *d, const struct blob_id *id, struct err *e);
/* Removes a file; one that is not there is fine. */
int dir_unlink(const struct dir_path *path, struct err *e);
/* 1 when the file is there, 0 when not. UNAVAILABLE when the whole store is missing. */
int dir_exists(const struct blob_dir *d, const struct dir_path *path, struct err *e);
/* NOT_FOUND, or UNAVAILABLE when the whole store is missing: a disk that is not mounted must not
 * look like blobs that are gone. */
int dir_missing(const struct blob_dir *d, struct err *e);

/* Metadata (meta.c). */
int dir_meta_write(const struct dir_path *path, const struct blob_info *info, struct err *e);
/* Fills length, time and metadata of ret. CORRUPT when it is none of ours. */
int dir_meta_read(const struct dir_path *path, struct blob_info *ret, struct err *e);

int dir_reader_new(const struct blob_dir *d, const struct blob_id *id, struct blob_reader **ret,
		   struct err *e);

/* The file that is being written (part.c). */
enum dir_part {
	DIR_PART_NEW, /* must not be there */
	DIR_PART_ANY, /* goes on at its length, made if it is not there */
};
/* CONFLICT when the blob is there, or another writer has the part. */
int dir_part_open(struct blob_dir *d, const struct blob_id *id, enum dir_part kind, int *ret_fd,
		  int64_t *ret_length, struct err *e);
/* Whether the name is still that of the open file; UNAVAILABLE when it was cleared away. */
int dir_part_check(int fd, const struct dir_path *part, struct err *e);
int dir_writer_new(struct blob_dir *d, const struct blob_id *id, const struct blob_meta *meta,
		   enum dir_part kind, struct blob_writer **ret, struct err *e);

/* What writers left (leftover.c). */
int dir_leftover(struct blob_store *store, const struct blob_id *id, struct blob_leftover *ret,
		 struct err *e);
int dir_clear(struct blob_store *store, const struct blob_id *id, struct err *e);
int dir_next_id(struct blob_store *store, const struct blob_id *after, struct blob_id *ret,
		struct err *e);

#endif
