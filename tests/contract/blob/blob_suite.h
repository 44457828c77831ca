/* The blob store's contract as tests, run on the store in memory and on the real one. */
#ifndef TONEARM_TESTS_CONTRACT_BLOB_BLOB_SUITE_H
#define TONEARM_TESTS_CONTRACT_BLOB_BLOB_SUITE_H

#include "port/blob_store.h"

#define SUITE_CHUNK 261120

struct blob_suite_server {
	/* An empty store; called before each test, closed by the suite after it. */
	struct blob_store *(*open)(void);
	/* How many chunks of this id the server holds, visible or not. */
	int64_t (*chunks)(struct blob_store *s, const struct blob_id *id);
};

/* The number of failed tests. */
int blob_suite_run(const char *name, const struct blob_suite_server *server);
/* Only its part about uploads that go on. */
int blob_suite_run_resume(const char *name, const struct blob_suite_server *server);

#endif
