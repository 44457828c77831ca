/* A writer of the GridFS store, as its parts see it: writer.c (the stream), send.c (whole chunks on
 * their way), tail.c (the last chunk of an upload that goes on), resume.c, commit.c.
 *
 * Of an upload that goes on the last chunk may be in the store before it is full: the tail. It has
 * one field more, writer, which names whose it is:
 *   a tail with a name     is changed only by the writer that it names; whoever takes it over puts
 *                          its own name there, and the other's next change finds nothing
 *   one without, not full  was sealed by a commit: nobody changes it any more
 *   a chunk that is full   is final; who writes the next one is decided by the unique index over
 *                          (files_id, n), and a batch goes in order, so that there are no gaps
 * A commit seals the tail first, an empty one behind a full chunk if it must, so that a writer that
 * was overtaken finds no free number. Some drivers refuse a blob with a chunk too many: the empty
 * one goes after the commit, and what a writer that was overtaken put there since, at its close.
 */
#ifndef TONEARM_ADAPTER_GRIDFS_WRITER_H
#define TONEARM_ADAPTER_GRIDFS_WRITER_H

#include "adapter/gridfs/private.h"

#define RETRY_PAUSE_MS 100
#define HELD_CHUNKS 2

struct gridfs_writer {
	struct blob_writer port;
	struct blob_gridfs *store;
	struct blob_meta meta;
	struct gridfs_slot open;                /* being filled */
	struct gridfs_slot ready[BATCH_CHUNKS]; /* sealed, not yet inserted */
	struct gridfs_slot spare[BATCH_CHUNKS]; /* inserted, to be filled again */
	struct gridfs_slot held[HELD_CHUNKS];   /* sealed, with bytes that a patch may change */
	size_t ready_count, spare_count, held_count;
	int32_t n; /* number of the open chunk */
	int64_t chunk_began_ms;
	bool batching;   /* holds one of the store's batches */
	bool sent;       /* the server may hold chunks of this id */
	bool committing; /* the files document may exist */
	bool committed;
	int failed; /* the first failure: only close is left then */
	/* of an upload that goes on */
	bson_oid_t name;  /* this writer's in its tail */
	bool tail_stored; /* the open chunk is in the store, as a tail with the name */
	bool tail_sealed; /* by this commit or an earlier one */
};

static inline struct gridfs_writer *
gridfs_writer_of(struct blob_writer *w)
{
	return CONTAINER_OF(w, struct gridfs_writer, port);
}

/* Inserts sealed slots, in order, and tries again until the deadline. CONFLICT: another writer has
 * a chunk of that number. */
int gridfs_send(struct gridfs_writer *w, const struct gridfs_slot *slots, size_t count,
		struct err *e);

/* Puts the open chunk into the store as the tail, journaled. CONFLICT: it is another's. */
int gridfs_tail_store(struct gridfs_writer *w, struct err *e);
/* The same for good: as a chunk that nobody changes any more. */
int gridfs_tail_seal(struct gridfs_writer *w, struct err *e);

/* What a commit does, but for what the writer still has in memory. */
int gridfs_commit(struct gridfs_writer *w, struct err *e);

/* Pauses before the next try; false when there is no time left for one. */
bool gridfs_retry_pause(int64_t until_ms);

#endif
