/* What the parts of the GridFS blob store share; only they include it. gridfs.c stands on all the
 * others, and all of them on session.c.
 *
 * A chunk travels as one BSON document {_id, files_id, n, data}, laid out in a buffer of the
 * writer's own so that the body is received straight into it (source of the layout:
 * bsonspec.org 1.1). */
#ifndef TONEARM_ADAPTER_GRIDFS_PRIVATE_H
#define TONEARM_ADAPTER_GRIDFS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "adapter/gridfs/gridfs.h"
#include "adapter/mongo/private.h"

#define CHUNK_SIZE 261120                        /* 255 KiB, as MsgQ's and every driver's default */
#define CHUNK_SIZE_MAX (16 * 1024 * 1024 - 1024) /* a document's limit less the other fields */
#define BATCH_CHUNKS 4 /* of one insert, about 1 MiB: the allocator keeps such pages at hand */
#define BATCHES_MAX 24 /* writers that may hold a batch at once */

struct gridfs_orphans;
struct gridfs_ahead;

struct blob_gridfs {
	struct blob_store port;
	struct mongo_pool *pool;
	char database[64];
	atomic_bool indexed;
	atomic_int batches;      /* held by writers now */
	atomic_int wide_windows; /* held by readers now */
	struct gridfs_orphans *orphans;
	struct gridfs_ahead *ahead;
};

static inline struct blob_gridfs *
blob_gridfs_of(struct blob_store *s)
{
	return CONTAINER_OF(s, struct blob_gridfs, port);
}

/* One client and both collections, for one call (session.c). Zero it before gridfs_begin. */
struct gridfs_session {
	struct mongo_pool *pool;
	mongoc_client_t *client;
	mongoc_collection_t *files, *chunks;
};
int gridfs_begin(struct blob_gridfs *g, struct gridfs_session *ret, struct err *e);
void gridfs_end(struct gridfs_session *s);
/* Once per process: names and order of an upload, unique chunks, one output per video. */
int gridfs_ensure_indexes(struct blob_gridfs *g, struct err *e);
/* The one files document that the filter finds; NOT_FOUND. */
int gridfs_find_file(struct gridfs_session *s, const bson_t *filter, struct blob_info *ret,
		     struct err *e);
/* 1 when the files document of id is there, 0 when it is not. */
int gridfs_is_committed(struct blob_gridfs *g, const struct blob_id *id, struct err *e);
/* Deletes what lies behind the last chunk of a blob; of what is no blob nothing. */
int gridfs_trim(struct blob_gridfs *g, const struct blob_id *id, struct err *e);
/* How many chunks a majority has of those that the query finds. */
int gridfs_count_chunks(struct blob_gridfs *g, const bson_t *query, int64_t *ret, struct err *e);
/* For writes that must outlive a crash of every server: a majority has them in its journal. */
bson_t *gridfs_durable_options(const struct blob_gridfs *g);
/* Deletes all chunks of id now, within the pool's deadline. */
int gridfs_delete_chunks(struct blob_gridfs *g, const struct blob_id *id, struct err *e);

static inline int64_t
gridfs_chunk_count(const struct blob_info *info)
{
	return info->length > 0 ? (info->length - 1) / info->chunk_size + 1 : 0;
}

static inline void
gridfs_bson_free_p(bson_t **b)
{
	bson_destroy(*b);
}

/* Documents (doc.c). */
bson_t *gridfs_file_doc(const struct blob_writer *w, const struct blob_meta *meta,
			int64_t uploaded_ms);
int gridfs_file_read(const bson_t *doc, struct blob_info *ret, struct err *e);
/* A number of any kind that is whole; false for all else. */
bool gridfs_whole(const bson_iter_t *it, int64_t *ret);
bson_t *gridfs_by_id(const char *key, const struct blob_id *id);

/* Chunks without a blob (leftover.c). */
int gridfs_leftover(struct blob_store *store, const struct blob_id *id, struct blob_leftover *ret,
		    struct err *e);
int gridfs_clear(struct blob_store *store, const struct blob_id *id, struct err *e);
int gridfs_next_id(struct blob_store *store, const struct blob_id *after, struct blob_id *ret,
		   struct err *e);

/* A chunk document under construction (slot.c). */
#define SLOT_DATA_AT 61 /* bytes of the document before its data */
struct gridfs_slot {
	uint8_t *doc; /* owned by the writer */
	size_t cap;
	size_t len; /* of the data */
};
int gridfs_slot_reserve(struct gridfs_slot *s, size_t data, struct err *e);
/* The document's own id; of one that is sealed. */
bson_oid_t gridfs_slot_id(const struct gridfs_slot *s);
void gridfs_slot_seal(struct gridfs_slot *s, const struct blob_id *files_id, int32_t n);

int gridfs_writer_new(struct blob_gridfs *g, const struct blob_id *id, const struct blob_meta *meta,
		      struct blob_writer **ret, struct err *e);
int gridfs_writer_resume(struct blob_gridfs *g, const struct blob_id *id,
			 const struct blob_meta *meta, struct blob_writer **ret, struct err *e);
int gridfs_reader_new(struct blob_gridfs *g, const struct blob_info *info, struct blob_reader **ret,
		      struct err *e);

/* Chunks of writers that ended without a commit: a bounded list that one thread works off.
 * ORPHAN_DELETE_TWICE: an insert with an unknown end may still arrive after the first deletion.
 * ORPHAN_UNLESS_COMMITTED: so may the files document; the chunks go only when it is not there after
 * that time either.
 * ORPHAN_TRIM: of an upload that goes on; only what it has put behind a blob of another goes. */
enum orphan_care { ORPHAN_DELETE_ONCE, ORPHAN_DELETE_TWICE, ORPHAN_UNLESS_COMMITTED, ORPHAN_TRIM };
int gridfs_orphans_start(struct blob_gridfs *g, struct gridfs_orphans **ret, struct err *e);
void gridfs_orphans_add(struct gridfs_orphans *o, const struct blob_id *id, enum orphan_care care);
/* Works off what is left as long as the server answers, 20 s at most, then ends. */
void gridfs_orphans_stop(struct gridfs_orphans *o);

#endif
