/* Writing a blob: the body is received straight into chunk documents.
 *
 * A stream that is slow holds one buffer of at most a chunk and inserts each chunk alone. One that
 * fills its chunks fast may hold up to BATCH_CHUNKS of them and insert them together; at most
 * BATCHES_MAX writers do so at once, and nobody waits for that permission: without it a chunk goes
 * alone. So a stalled stream starves no other. One with a hold keeps the chunks that it names, one
 * or two, until the commit. */
#include "adapter/gridfs/writer.h"

#include <string.h>

#include "base/clock.h"

#define FAST_CHUNK_MS 100 /* a chunk filled faster than this is worth a batch */

static_assert(BLOB_HOLD_MAX <= CHUNK_SIZE, "what is held lies in two chunks at most");

static int
writer_send_ready(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (w->ready_count == 0)
		return 0;
	if ((r = gridfs_send(w, w->ready, w->ready_count, e)) < 0)
		return r;
	for (size_t i = 0; i < w->ready_count; i++) {
		w->ready[i].len = 0;
		if (w->batching && w->spare_count < BATCH_CHUNKS)
			w->spare[w->spare_count++] = w->ready[i];
		else
			free(w->ready[i].doc);
		w->ready[i] = (struct gridfs_slot){ 0 };
	}
	w->ready_count = 0;
	return 0;
}

static void
writer_try_batching(struct gridfs_writer *w)
{
	if (w->batching || now_monotonic_ms() - w->chunk_began_ms > FAST_CHUNK_MS)
		return;
	if (atomic_fetch_add(&w->store->batches, 1) < BATCHES_MAX)
		w->batching = true;
	else
		(void)atomic_fetch_sub(&w->store->batches, 1);
}

static void
writer_stop_batching(struct gridfs_writer *w)
{
	if (!w->batching)
		return;
	w->batching = false;
	(void)atomic_fetch_sub(&w->store->batches, 1);
}

static void
writer_seal_open(struct gridfs_writer *w)
{
	int64_t from = (int64_t)w->n * CHUNK_SIZE;

	gridfs_slot_seal(&w->open, &w->port.id, w->n++);
	if (from < w->port.held.to && from + CHUNK_SIZE > w->port.held.from)
		w->held[w->held_count++] = w->open;
	else
		w->ready[w->ready_count++] = w->open;
	w->open = (struct gridfs_slot){ 0 };
}

/* The open chunk is full: a tail is done with at once, another joins the ready ones, or goes alone.
 */
static int
writer_chunk_done(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (w->tail_stored) {
		r = gridfs_tail_seal(w, e);
		w->open.len = 0;
		w->n++;
		w->chunk_began_ms = now_monotonic_ms();
		return r;
	}
	writer_seal_open(w);
	writer_try_batching(w);
	w->open = w->spare_count > 0 ? w->spare[--w->spare_count] : (struct gridfs_slot){ 0 };
	w->chunk_began_ms = now_monotonic_ms();
	return w->batching && w->ready_count < BATCH_CHUNKS ? 0 : writer_send_ready(w, e);
}

static int
writer_take_bytes(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct gridfs_writer *w = gridfs_writer_of(port);
	const uint8_t *from = data;
	int r;

	while (len > 0) {
		size_t n = CHUNK_SIZE - w->open.len < len ? CHUNK_SIZE - w->open.len : len;

		if ((r = gridfs_slot_reserve(&w->open, w->open.len + n, e)) < 0)
			return r;
		memcpy(w->open.doc + SLOT_DATA_AT + w->open.len, from, n);
		w->open.len += n;
		port->length += (int64_t)n;
		from += n;
		len -= n;
		if (w->open.len == CHUNK_SIZE && (r = writer_chunk_done(w, e)) < 0)
			return r;
	}
	return 0;
}

static int
writer_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct gridfs_writer *w = gridfs_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if (w->tail_sealed && len > 0)
		return err_set(e, ERR_CONFLICT, "a commit of this upload was begun");
	return w->failed = writer_take_bytes(port, data, len, e);
}

static int
writer_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	struct gridfs_writer *w = gridfs_writer_of(port);
	const uint8_t *from = data;

	(void)e;
	while (len > 0) {
		int64_t n = offset / CHUNK_SIZE, first = port->held.from / CHUNK_SIZE;
		struct gridfs_slot *slot = n == w->n ? &w->open : &w->held[n - first];
		size_t at = (size_t)(offset % CHUNK_SIZE);
		size_t piece = CHUNK_SIZE - at < len ? CHUNK_SIZE - at : len;

		memcpy(slot->doc + SLOT_DATA_AT + at, from, piece);
		offset += (int64_t)piece;
		from += piece;
		len -= piece;
	}
	return 0;
}

static int
writer_flush(struct blob_writer *port, struct err *e)
{
	struct gridfs_writer *w = gridfs_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if (w->tail_sealed)
		return 0;
	if ((w->failed = writer_send_ready(w, e)) == 0)
		w->failed = gridfs_tail_store(w, e);
	return w->failed;
}

/* What is still in memory, but for a tail, then the blob. */
static int
writer_finish(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (w->open.len > 0 && !w->port.resumable)
		writer_seal_open(w);
	if ((r = writer_send_ready(w, e)) < 0)
		return r;
	return gridfs_commit(w, e);
}

static int
writer_commit(struct blob_writer *port, struct err *e)
{
	struct gridfs_writer *w = gridfs_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if ((w->failed = writer_finish(w, e)) == 0)
		w->committed = true;
	return w->failed;
}

static void
writer_free_slots(struct gridfs_writer *w)
{
	for (size_t i = 0; i < w->ready_count; i++)
		free(w->ready[i].doc);
	for (size_t i = 0; i < w->spare_count; i++)
		free(w->spare[i].doc);
	for (size_t i = 0; i < w->held_count; i++)
		free(w->held[i].doc);
	free(w->open.doc);
}

static enum orphan_care
writer_care(const struct gridfs_writer *w)
{
	if (w->port.resumable)
		return ORPHAN_TRIM;
	if (w->committing)
		return ORPHAN_UNLESS_COMMITTED;
	return w->port.unsettled ? ORPHAN_DELETE_TWICE : ORPHAN_DELETE_ONCE;
}

/* What must not stay behind is the orphan thread's: a close never waits for a server. */
static void
writer_close(struct blob_writer *port)
{
	struct gridfs_writer *w = gridfs_writer_of(port);

	writer_stop_batching(w);
	writer_free_slots(w);
	if (w->sent && !w->committed)
		gridfs_orphans_add(w->store->orphans, &port->id, writer_care(w));
	free(w);
}

static const struct blob_writer_ops writer_ops = {
	.write = writer_write,
	.patch = writer_patch,
	.flush = writer_flush,
	.commit = writer_commit,
	.close = writer_close,
};

int
gridfs_writer_new(struct blob_gridfs *g, const struct blob_id *id, const struct blob_meta *meta,
		  struct blob_writer **ret, struct err *e)
{
	struct gridfs_writer *w = calloc(1, sizeof *w);

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "blob writer");
	w->port.ops = &writer_ops;
	w->port.id = *id;
	w->store = g;
	w->meta = *meta;
	w->chunk_began_ms = now_monotonic_ms();
	*ret = &w->port;
	return 0;
}
