/* Blob store: write-once byte objects with metadata (one store = one set of blobs, such as
 * "videos" or "mp3s").
 *
 * Ownership   a reader or writer belongs to its opener until blob_reader_close / blob_writer_close.
 * Threads     a store may be shared; a reader or writer is used by one thread at a time.
 * Time        any call blocks at most the store's configured deadline (3 s by default).
 * Visibility  a blob is found only after blob_commit, and then whole.
 * Durability  blob_commit and blob_flush return 0 only when what they speak of outlives the crash
 *             of every process and machine that the store is built to outlive.
 * Errors      NOT_FOUND             no such blob
 *             CONFLICT              someone else was faster: each call says what that means
 *             CORRUPT               the stored form is broken
 *             UNAVAILABLE, TIMEOUT  try again
 *
 * A writer of blob_create is one attempt: closed without a commit it removes what it wrote.
 *
 * A writer of blob_resume is one part of an upload that goes on. Closed without a commit it leaves
 * what is stored, and any process goes on from there with the next blob_resume of the same id,
 * until one of them commits, or blob_clear or blob_remove takes it all away.
 *  - The next one begins where the stored bytes end: not before the last blob_flush that returned
 *    0, not behind the last byte written. In between a store may keep what it likes.
 *  - Of two writers of one id at once at most one commits, and the blob is what that one has
 *    resumed and written, without a byte of the other. A store that sees the first one at work may
 *    refuse the second (blob_resume: CONFLICT); else the second takes over, and the first gets
 *    CONFLICT from blob_write, blob_flush or blob_commit, at the latest from the one that would
 *    have had to store something.
 *  - A commit that has begun and failed (other than by CONFLICT) may have sealed the bytes: the
 *    next writer has them all, gets CONFLICT when it writes more, and may commit.
 */
#ifndef TONEARM_PORT_BLOB_STORE_H
#define TONEARM_PORT_BLOB_STORE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/job.h"

struct blob_meta {
	char owner[USERNAME_MAX + 1]; /* "" = no owner (made by MsgQ) */
	bool owner_unreadable;        /* stored as no text of ours: it is nobody's, not anybody's */
	struct blob_id video_fid; /* the video that this blob was made from; none = not an output */
	char content_type[CONTENT_TYPE_MAX + 1]; /* "" = unknown */
	char filename[FILENAME_MAX_BYTES + 1]; /* as the sender said it; hostile text; "" = none */
};

struct blob_info {
	struct blob_id id;
	int64_t length;      /* bytes */
	int32_t chunk_size;  /* bytes */
	int64_t uploaded_ms; /* milliseconds since 1970 */
	struct blob_meta meta;
};

#define BLOB_HOLD_MAX (64 * 1024)

/* Chunks under an id that has no blob: a writer's that is at work, or of one that died. */
struct blob_leftover {
	int64_t chunks;
	int64_t newest_ms; /* by the clock of its writer; that it cannot be told = INT64_MAX */
};

struct blob_store;
struct blob_reader;
struct blob_writer;

struct blob_reader_ops {
	int (*read)(struct blob_reader *, void *to, size_t size, size_t *ret_got, struct err *);
	int (*seek)(struct blob_reader *, int64_t offset, struct err *);
	void (*close)(struct blob_reader *);
};
struct blob_reader {
	const struct blob_reader_ops *ops;
	struct blob_info info;
	int64_t fetched; /* bytes that the store has handed out for it, read by the opener or not */
	const int *file; /* see blob_file; NULL = none */
	/* see blob_lend; NULL = it does not */
	int (*lend)(struct blob_reader *, const void **ret_at, size_t *ret_got, struct err *);
};

struct blob_writer_ops {
	int (*write)(struct blob_writer *, const void *data, size_t len, struct err *);
	int (*patch)(struct blob_writer *, int64_t offset, const void *data, size_t len,
		     struct err *);
	int (*flush)(struct blob_writer *, struct err *); /* only of what ops.resume has opened */
	int (*commit)(struct blob_writer *, struct err *);
	void (*close)(struct blob_writer *);
};
struct blob_writer {
	const struct blob_writer_ops *ops;
	struct blob_id id;
	int64_t length; /* bytes taken so far, those of earlier parts too */
	bool resumable; /* opened by blob_resume */
	bool unsettled; /* an answer was lost: what was sent may arrive later, also after a clear */
	struct {
		int64_t from, to;
	} held; /* by blob_hold; from == to: nothing */
};

struct blob_store_ops {
	int (*open)(struct blob_store *, const struct blob_id *, struct blob_reader **,
		    struct err *);
	int (*create)(struct blob_store *, const struct blob_id *, const struct blob_meta *,
		      struct blob_writer **, struct err *);
	int (*resume)(struct blob_store *, const struct blob_id *, const struct blob_meta *,
		      struct blob_writer **, struct err *);
	int (*remove)(struct blob_store *, const struct blob_id *, struct err *);
	int (*leftover)(struct blob_store *, const struct blob_id *, struct blob_leftover *,
			struct err *);
	int (*clear)(struct blob_store *, const struct blob_id *, struct err *);
	int (*next_id)(struct blob_store *, const struct blob_id *after, struct blob_id *,
		       struct err *);
	int (*ping)(struct blob_store *, struct err *);
	void (*close)(struct blob_store *);
};
struct blob_store {
	const struct blob_store_ops *ops;
};

/* Opens a committed blob; the reader carries its info. A blob whose chunkSize or length is not
 * valid (chunkSize 1 to 16 MiB - 1 KiB, length >= 0) is CORRUPT. */
static inline int
blob_open(struct blob_store *s, const struct blob_id *id, struct blob_reader **ret, struct err *e)
{
	int r = s->ops->open(s, id, ret, e);
	assert(r <= 0 && (r < 0 || *ret));
	return r;
}
/* Begins a blob under the given id (which must be fresh). */
static inline int
blob_create(struct blob_store *s, const struct blob_id *id, const struct blob_meta *meta,
	    struct blob_writer **ret, struct err *e)
{
	int r = s->ops->create(s, id, meta, ret, e);
	assert(r <= 0 && (r < 0 || *ret));
	return r;
}
/* Goes on with an upload at the length that is stored (ret->length; 0 when nothing is: so it also
 * begins one). meta is what the blob gets if this writer commits. CONFLICT: the blob is committed,
 * or another writer is at work, or what is stored cannot be continued (only blob_clear helps). */
static inline int
blob_resume(struct blob_store *s, const struct blob_id *id, const struct blob_meta *meta,
	    struct blob_writer **ret, struct err *e)
{
	int r = s->ops->resume(s, id, meta, ret, e);
	assert(r <= 0 && (r < 0 || ((*ret)->resumable && (*ret)->length >= 0)));
	return r;
}
/* Removes the files document first, then the chunks; a blob that is not there is fine (0), and its
 * chunks go all the same. */
static inline int
blob_remove(struct blob_store *s, const struct blob_id *id, struct err *e)
{
	return s->ops->remove(s, id, e);
}
/* What is stored under an id without a blob; NOT_FOUND nothing, CONFLICT the blob is there. */
static inline int
blob_leftover(struct blob_store *s, const struct blob_id *id, struct blob_leftover *ret,
	      struct err *e)
{
	return s->ops->leftover(s, id, ret, e);
}
/* Removes it; 0 also when there was nothing, CONFLICT when the blob is there. A writer that was
 * still at work cannot commit any more; the id is not used again before it has closed. */
static inline int
blob_clear(struct blob_store *s, const struct blob_id *id, struct err *e)
{
	return s->ops->clear(s, id, e);
}
/* The next id after another (none = the first) under which chunks are, with or without a blob;
 * NOT_FOUND at the end. Costs the same however many chunks there are. */
static inline int
blob_next_id(struct blob_store *s, const struct blob_id *after, struct blob_id *ret, struct err *e)
{
	return s->ops->next_id(s, after, ret, e);
}
/* 0 when the server answers now. */
static inline int
blob_store_ping(struct blob_store *s, struct err *e)
{
	return s->ops->ping(s, e);
}
static inline void
blob_store_close(struct blob_store *s)
{
	if (s)
		s->ops->close(s);
}

/* Reads up to size bytes at the position and moves it; *ret_got 0 = the end. CORRUPT when a chunk
 * is missing, of the wrong size, or of the wrong type. */
static inline int
blob_read(struct blob_reader *r, void *to, size_t size, size_t *ret_got, struct err *e)
{
	int rc = r->ops->read(r, to, size, ret_got, e);
	assert(rc <= 0 && (rc < 0 || *ret_got <= size));
	return rc;
}
/* Whether blob_lend may be called: where the store keeps what was read in memory of its own. */
static inline bool
blob_lends(const struct blob_reader *r)
{
	return r->lend != NULL;
}
/* Like blob_read, but without a copy: as many bytes at the position as lie together, borrowed until
 * the reader's next call. */
static inline int
blob_lend(struct blob_reader *r, const void **ret_at, size_t *ret_got, struct err *e)
{
	int rc = r->lend(r, ret_at, ret_got, e);
	assert(rc <= 0 && (rc < 0 || *ret_got == 0 || *ret_at));
	return rc;
}
/* Sets the position, 0 to info.length; INVALID outside. Costs nothing by itself. */
static inline int
blob_seek(struct blob_reader *r, int64_t offset, struct err *e)
{
	return r->ops->seek(r, offset, e);
}
/* Where a blob is a file: a descriptor of it, for reading at offsets 0 to info.length (pread,
 * sendfile), apart from the position above. The reader's, until its close; -1 = there is none. */
static inline int
blob_file(const struct blob_reader *r)
{
	return r->file ? *r->file : -1;
}
static inline void
blob_reader_close(struct blob_reader *r)
{
	if (r)
		r->ops->close(r);
}

/* Appends. On failure the writer is only good for close. */
static inline int
blob_write(struct blob_writer *w, const void *data, size_t len, struct err *e)
{
	return w->ops->write(w, data, len, e);
}
/* The next len bytes may be changed until the commit: the chunks that hold them are kept in memory
 * and written last. Once; INVALID a second time, for more than BLOB_HOLD_MAX, and for a writer of
 * blob_resume, which cannot keep bytes from the store. */
static inline int
blob_hold(struct blob_writer *w, size_t len, struct err *e)
{
	if (w->resumable || w->held.to > 0 || len < 1 || len > BLOB_HOLD_MAX)
		return err_set(e, ERR_INVALID, "a hold of %zu bytes", len);
	w->held.from = w->length;
	w->held.to = w->length + (int64_t)len;
	return 0;
}
/* Overwrites bytes already written that blob_hold spoke of; INVALID elsewhere. */
static inline int
blob_patch(struct blob_writer *w, int64_t offset, const void *data, size_t len, struct err *e)
{
	int64_t to = w->held.to < w->length ? w->held.to : w->length;

	if (offset < w->held.from || offset > to || len > (size_t)(to - offset))
		return err_set(e, ERR_INVALID, "a patch of what is not held");
	return len > 0 ? w->ops->patch(w, offset, data, len, e) : 0;
}
/* Makes all length bytes durable, the last partial chunk too; writing goes on after it. Only for a
 * writer of blob_resume, INVALID else. CONFLICT: another writer has taken over. */
static inline int
blob_flush(struct blob_writer *w, struct err *e)
{
	if (!w->resumable)
		return err_set(e, ERR_INVALID, "only an upload that goes on is flushed");
	return w->ops->flush(w, e);
}
/* Makes the blob visible. CONFLICT: another writer has taken over; or the store keeps
 * one blob per video_fid (GridFS, for a fleet with an older converter in it) and has another, and
 * close removes these chunks. Which output counts the ledger says: nothing may depend on this.
 * After success close only frees. */
static inline int
blob_commit(struct blob_writer *w, struct err *e)
{
	return w->ops->commit(w, e);
}
static inline void
blob_writer_close(struct blob_writer *w)
{
	if (w)
		w->ops->close(w);
}

SCOPE_DEFINE(struct blob_store, blob_store_close)
SCOPE_DEFINE(struct blob_reader, blob_reader_close)
SCOPE_DEFINE(struct blob_writer, blob_writer_close)

#endif
