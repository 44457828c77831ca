/* What the parts of the fake blob store share. Every call starts with
 * SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s). */
#ifndef TONEARM_TESTS_FAKE_BLOB_BLOB_FAKE_PRIVATE_H
#define TONEARM_TESTS_FAKE_BLOB_BLOB_FAKE_PRIVATE_H

#include <pthread.h>

#include "base/text/str.h"
#include "fake/blob/blob_fake.h"

#define FAKE_CHUNK 261120
#define FAKE_BLOB_MAX ((size_t)1 << 30)

struct fake_blob {
	struct blob_info info;
	struct str bytes; /* owned */
};

/* Chunks of a writer that has not committed. */
struct fake_left {
	struct blob_id id;
	struct blob_leftover is;
};
#define FAKE_LEFT_MAX 256

/* An upload that goes on. */
struct fake_part {
	struct blob_id id;
	struct str bytes; /* owned: those that are stored */
	int writer;       /* the one that has it now */
};
#define FAKE_PARTS_MAX 64

struct fake_writer {
	struct blob_writer port;
	struct blob_store *store;
	struct blob_meta meta;
	struct str bytes;
	int64_t chunks; /* stored so far */
	int number;     /* of a resumable one, from 1 */
	bool committed;
};

struct blob_fake {
	struct blob_store port;
	pthread_mutex_t lock;
	/* under lock */
	struct fake_blob *blobs;
	size_t count, room, aborted;
	struct fake_left left[FAKE_LEFT_MAX];
	size_t left_count;
	struct fake_part parts[FAKE_PARTS_MAX];
	size_t part_count;
	int writers; /* resumable ones so far */
	int broken, broken_once, broken_in, calls;
};

/* blob_fake_state.c */
struct blob_fake *blob_fake_enter(struct blob_store *s);
void blob_fake_leave_p(struct blob_fake **f);
/* Counts the call; the failure that the test has asked for, else 0. */
int blob_fake_refusal(struct blob_fake *f, struct err *e);
struct fake_blob *blob_fake_find(struct blob_fake *f, const struct blob_id *id);
/* Takes the bytes over on success. */
int blob_fake_add(struct blob_fake *f, const struct blob_info *info, struct str *bytes,
		  struct err *e);

/* The entry of id or NULL. */
struct fake_left *blob_fake_left(struct blob_fake *f, const struct blob_id *id);
/* Sets its chunks; none removes it. */
void blob_fake_leave_chunks(struct blob_fake *f, const struct blob_id *id, int64_t chunks,
			    int64_t newest_ms);
int blob_fake_leftover(struct blob_store *s, const struct blob_id *id, struct blob_leftover *ret,
		       struct err *e);
int blob_fake_clear(struct blob_store *s, const struct blob_id *id, struct err *e);
int blob_fake_next_id(struct blob_store *s, const struct blob_id *after, struct blob_id *ret,
		      struct err *e);

int blob_fake_writer_new(struct blob_store *s, const struct blob_id *id,
			 const struct blob_meta *meta, struct blob_writer **ret, struct err *e);
/* Uploads that go on (blob_fake_part.c). The part is the newest writer's from now on. */
int blob_fake_take_part(struct blob_fake *f, const struct blob_id *id, struct fake_part **ret,
			struct err *e);
/* CONFLICT when another writer has it, or nobody: it was cleared. */
int blob_fake_own_part(struct blob_fake *f, const struct fake_writer *w, struct err *e);
/* Stores what the writer has, up to length bytes. */
int blob_fake_store_part(struct blob_fake *f, const struct fake_writer *w, int64_t length,
			 struct err *e);
void blob_fake_drop_part(struct blob_fake *f, const struct blob_id *id);
int blob_fake_reader_new(struct blob_store *s, const struct blob_info *info,
			 struct blob_reader **ret, struct err *e);

#endif
