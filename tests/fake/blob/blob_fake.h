/* A blob store in memory, for tests: the same contract as the real one.
 * Threads    a store may be shared; a reader or writer may not.
 * Ownership  readers and writers are closed before the store. */
#ifndef TONEARM_TESTS_FAKE_BLOB_BLOB_FAKE_H
#define TONEARM_TESTS_FAKE_BLOB_BLOB_FAKE_H

#include "port/blob_store.h"

int blob_fake_new(struct blob_store **ret, struct err *e);
/* Every call on the store, its readers and its writers (not the closing ones) answers code
 * (ERR_UNAVAILABLE: the server is away) until it is set to 0. */
void blob_fake_break(struct blob_store *s, int code);
/* The n-th call from now (1 = the next) answers code, once. TIMEOUT of a write or commit: its answer
 * was lost, the writer is unsettled. */
void blob_fake_break_nth(struct blob_store *s, int n, int code);
/* How many calls were made so far, broken ones too. */
int blob_fake_calls(struct blob_store *s);
/* How many blobs are visible, and how many writers were closed without a commit. */
size_t blob_fake_count(struct blob_store *s);
size_t blob_fake_aborted(struct blob_store *s);

/* As if a writer had died after so many chunks, the last one at newest_ms. */
void blob_fake_orphan(struct blob_store *s, const struct blob_id *id, int64_t chunks,
		      int64_t newest_ms);

#endif
