/* Writing a blob: the body is received straight into chunk documents.
 *
 * A stream that is slow holds one buffer of at most a chunk and inserts each chunk alone. One that
 * fills its chunks fast may hold up to BATCH_CHUNKS of them and insert them together; at most
 * BATCHES_MAX writers do so at once, and nobody waits for that permission: without it a chunk goes
 * alone. So a stalled stream starves no other. One with a hold keeps the chunks that it names, one
 * or two, until the commit. */
#include "adapter/gridfs/private.h"

#include <string.h>

#include "base/clock.h"
#include "base/wait.h"

#define FAST_CHUNK_MS 100 /* a chunk filled faster than this is worth a batch */
#define RETRY_PAUSE_MS 100
#define HELD_CHUNKS 2

static_assert(BLOB_HOLD_MAX <= CHUNK_SIZE, "what is held lies in two chunks at most");

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
	bool unsure;     /* an insert ended with its result unknown */
	bool committing; /* the files document may exist */
	bool committed;
	int failed; /* the first failure: only close is left then */
};

static struct gridfs_writer *
writer_of(struct blob_writer *w)
{
	return CONTAINER_OF(w, struct gridfs_writer, port);
}

/* Every complaint is a duplicate key: an earlier try had arrived. */
static bool
writer_only_duplicates(const bson_t *reply)
{
	bson_iter_t it, errors, code;
	bool any = false;

	if (!bson_iter_init_find(&it, reply, "writeErrors") || !bson_iter_recurse(&it, &errors))
		return false;
	while (bson_iter_next(&errors)) {
		if (!bson_iter_recurse(&errors, &code) || !bson_iter_find(&code, "code") ||
		    bson_iter_as_int64(&code) != 11000)
			return false;
		any = true;
	}
	return any && !bson_iter_init_find(&it, reply, "writeConcernErrors");
}

/* One try. Unordered, so that a repeat goes on past what is there already. */
static bool
writer_insert_slots(struct gridfs_writer *w, struct gridfs_slot *slots, size_t count, bool repeat,
		    bson_error_t *error, int *ret_code, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *options = BCON_NEW("ordered", BCON_BOOL(false));
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	const bson_t *docs[BATCH_CHUNKS];
	bson_t views[BATCH_CHUNKS], reply;
	bool ok;

	*error = (bson_error_t){ 0 };
	if ((*ret_code = gridfs_begin(w->store, &s, e)) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		(void)bson_init_static(&views[i], slots[i].doc, SLOT_DATA_AT + slots[i].len + 1);
		docs[i] = &views[i];
	}
	w->sent = true;
	ok = mongoc_collection_insert_many(s.chunks, docs, count, options, &reply, error) ||
	     (repeat && writer_only_duplicates(&reply));
	bson_destroy(&reply);
	*ret_code = ok ? 0 : mongo_err(e, error, "insert chunks");
	return ok;
}

static int
writer_send_slots(struct gridfs_writer *w, struct gridfs_slot *slots, size_t count, struct err *e)
{
	int64_t until = now_monotonic_ms() + mongo_pool_deadline_ms(w->store->pool);
	bson_error_t error;
	int code;

	for (bool repeat = false;; repeat = true) {
		if (writer_insert_slots(w, slots, count, repeat, &error, &code, e))
			return 0;
		if (!err_is_transient(code))
			return code;
		w->unsure |= error.domain != 0;
		if (now_monotonic_ms() + RETRY_PAUSE_MS >= until)
			return code;
		wait_pause(RETRY_PAUSE_MS);
	}
}

static int
writer_send_ready(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (w->ready_count == 0)
		return 0;
	if ((r = writer_send_slots(w, w->ready, w->ready_count, e)) < 0)
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

/* The open chunk is full: it joins the others, or goes alone. */
static int
writer_chunk_done(struct gridfs_writer *w, struct err *e)
{
	writer_seal_open(w);
	writer_try_batching(w);
	w->open = w->spare_count > 0 ? w->spare[--w->spare_count] : (struct gridfs_slot){ 0 };
	w->chunk_began_ms = now_monotonic_ms();
	return w->batching && w->ready_count < BATCH_CHUNKS ? 0 : writer_send_ready(w, e);
}

static int
writer_take_bytes(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct gridfs_writer *w = writer_of(port);
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
	struct gridfs_writer *w = writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	return w->failed = writer_take_bytes(port, data, len, e);
}

static int
writer_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	struct gridfs_writer *w = writer_of(port);
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

/* A majority must hold every chunk before anyone may see the blob. */
static int
writer_check_chunks(struct gridfs_writer *w, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("files_id", &w->port.id);
	SCOPED(gridfs_bson_free_p) bson_t *command = NULL;
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_t reply = BSON_INITIALIZER;
	int64_t found = -1;
	bson_error_t error;
	bson_iter_t it;
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	/* clang-format off */
	command = BCON_NEW(
		"count", "fs.chunks",
		"query", BCON_DOCUMENT(filter),
		"readConcern", "{", "level", "majority", "}");
	/* clang-format on */
	if (!mongoc_client_command_simple(s.client, w->store->database, command, NULL, &reply,
					  &error))
		r = mongo_err(e, &error, "count chunks");
	else if (bson_iter_init_find(&it, &reply, "n"))
		found = bson_iter_as_int64(&it);
	bson_destroy(&reply);
	if (r == 0 && found != w->n)
		r = err_set(e, ERR_UNAVAILABLE, "mongodb: %lld of %d chunks are there",
			    (long long)found, w->n);
	return r;
}

static int
writer_insert_file(struct gridfs_writer *w, const bson_t *doc, struct err *e)
{
	/* clang-format off */
	SCOPED(gridfs_bson_free_p) bson_t *options = BCON_NEW(
		"writeConcern", "{",
			"w", "majority",
			"j", BCON_BOOL(true),
			"wtimeout", BCON_INT32((int32_t)mongo_pool_deadline_ms(w->store->pool)),
		"}");
	/* clang-format on */
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	w->committing = true;
	if (mongoc_collection_insert_one(s.files, doc, options, NULL, &error))
		return 0;
	if ((r = mongo_err(e, &error, "insert blob")) != ERR_CONFLICT)
		return r;
	/* a duplicate key is our own earlier try, or another output of the same video */
	gridfs_end(&s);
	if ((r = gridfs_is_committed(w->store, &w->port.id, e)) != 0)
		return r < 0 ? r : 0;
	w->committing = false; /* refused for certain: the chunks may go */
	return err_set(e, ERR_CONFLICT, "another output of this video was faster");
}

static int
writer_make_visible(struct gridfs_writer *w, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *doc = gridfs_file_doc(&w->port, &w->meta);
	int64_t until = now_monotonic_ms() + mongo_pool_deadline_ms(w->store->pool);
	int r;

	for (;;) {
		r = writer_insert_file(w, doc, e);
		if (!err_is_transient(r) || now_monotonic_ms() + RETRY_PAUSE_MS >= until)
			return r;
		wait_pause(RETRY_PAUSE_MS);
	}
}

static int
writer_finish(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (w->open.len > 0)
		writer_seal_open(w);
	if ((r = gridfs_ensure_indexes(w->store, e)) < 0 || (r = writer_send_ready(w, e)) < 0)
		return r;
	/* what holds the headers goes last: before it, no reader could make sense of the rest */
	if (w->held_count > 0 && (r = writer_send_slots(w, w->held, w->held_count, e)) < 0)
		return r;
	if ((r = writer_check_chunks(w, e)) < 0)
		return r;
	return writer_make_visible(w, e);
}

static int
writer_commit(struct blob_writer *port, struct err *e)
{
	struct gridfs_writer *w = writer_of(port);

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

/* Nothing stays behind. The deletion is the orphan thread's: a close never waits for a server. */
static void
writer_close(struct blob_writer *port)
{
	struct gridfs_writer *w = writer_of(port);
	enum orphan_care care = w->committing ? ORPHAN_UNLESS_COMMITTED
				: w->unsure   ? ORPHAN_DELETE_TWICE
					      : ORPHAN_DELETE_ONCE;

	writer_stop_batching(w);
	writer_free_slots(w);
	if (w->sent && !w->committed)
		gridfs_orphans_add(w->store->orphans, &port->id, care);
	free(w);
}

static const struct blob_writer_ops writer_ops = {
	.write = writer_write,
	.patch = writer_patch,
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
