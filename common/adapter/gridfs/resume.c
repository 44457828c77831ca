/* Going on with an upload: its last chunk is taken over (see writer.h), and what it holds is where
 * the new writer begins. */
#include "adapter/gridfs/writer.h"

#include <string.h>

#define TAKE_TRIES 8 /* another writer may be at work while we look */

/* The last chunk that is there. */
struct resume_last {
	int64_t n; /* -1: none */
	size_t len;
	bool named;
	bson_oid_t name;
};

static int
resume_read_last(const bson_t *doc, struct resume_last *ret, struct err *e)
{
	struct resume_last last = { .n = -1 };
	uint32_t len = CHUNK_SIZE + 1;
	const uint8_t *data;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, "n"))
		(void)gridfs_whole(&it, &last.n);
	if (bson_iter_init_find(&it, doc, "data") && BSON_ITER_HOLDS_BINARY(&it))
		bson_iter_binary(&it, NULL, &len, &data);
	if (bson_iter_init_find(&it, doc, "writer") && BSON_ITER_HOLDS_OID(&it)) {
		bson_oid_copy(bson_iter_oid(&it), &last.name);
		last.named = true;
	}
	if (last.n < 0 || last.n >= INT32_MAX || len > CHUNK_SIZE)
		return err_set(e, ERR_CONFLICT, "what is stored is no upload that goes on");
	last.len = len;
	*ret = last;
	return 0;
}

static int
resume_look(struct gridfs_writer *w, struct gridfs_session *s, struct resume_last *ret,
	    struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("files_id", &w->port.id);
	/* clang-format off */
	SCOPED(gridfs_bson_free_p) bson_t *options = BCON_NEW(
		"sort", "{", "n", BCON_INT32(-1), "}",
		"limit", BCON_INT64(1));
	/* clang-format on */
	mongoc_cursor_t *cursor =
		mongoc_collection_find_with_opts(s->chunks, filter, options, NULL);
	const bson_t *doc;
	bson_error_t error;
	int r = 0;

	if (mongoc_cursor_next(cursor, &doc))
		r = resume_read_last(doc, ret, e);
	else if (mongoc_cursor_error(cursor, &error))
		r = mongo_err(e, &error, "look for the last chunk");
	else
		*ret = (struct resume_last){ .n = -1 };
	mongoc_cursor_destroy(cursor);
	return r;
}

/* The writer begins with these bytes in its open chunk. */
static int
resume_fill_open(struct gridfs_writer *w, int64_t n, const uint8_t *data, size_t len, struct err *e)
{
	int r;

	if ((r = gridfs_slot_reserve(&w->open, len, e)) < 0)
		return r;
	if (len > 0)
		memcpy(w->open.doc + SLOT_DATA_AT, data, len);
	w->open.len = len;
	w->n = (int32_t)n;
	w->port.length = n * CHUNK_SIZE + (int64_t)len;
	return 0;
}

static bson_t *
resume_take_command(const struct gridfs_writer *w, const struct resume_last *last)
{
	bson_oid_t id;

	bson_oid_init_from_string(&id, w->port.id.hex);
	/* clang-format off */
	return BCON_NEW(
		"findAndModify", "fs.chunks",
		"query", "{",
			"files_id", BCON_OID(&id),
			"n", BCON_INT64(last->n),
			"writer", BCON_OID(&last->name),
		"}",
		"update", "{", "$set", "{", "writer", BCON_OID(&w->name), "}", "}",
		"new", BCON_BOOL(true));
	/* clang-format on */
}

/* What the other has flushed since we looked comes with it. CONFLICT: it is no longer the other's. */
static int
resume_take_named(struct gridfs_writer *w, struct gridfs_session *s, const struct resume_last *last,
		  struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = resume_take_command(w, last);
	SCOPED(gridfs_bson_free_p) bson_t *options = gridfs_durable_options(w->store);
	bson_iter_t it, data;
	const uint8_t *bytes;
	bson_error_t error;
	uint32_t len;
	bson_t reply;
	int r;

	if (!mongoc_client_write_command_with_opts(s->client, w->store->database, command, options,
						   &reply, &error)) {
		r = mongo_err(e, &error, "take over the last chunk");
	} else if (bson_iter_init(&it, &reply) &&
		   bson_iter_find_descendant(&it, "value.data", &data) &&
		   BSON_ITER_HOLDS_BINARY(&data)) {
		bson_iter_binary(&data, NULL, &len, &bytes);
		r = resume_fill_open(w, last->n, bytes, len, e);
		w->tail_stored = r == 0;
	} else {
		r = err_set(e, ERR_CONFLICT, "another writer is at work");
	}
	bson_destroy(&reply);
	return r;
}

/* The number behind the last chunk is ours once an empty tail stands there. */
static int
resume_take_next(struct gridfs_writer *w, int64_t n, struct err *e)
{
	int r;

	if ((r = resume_fill_open(w, n, NULL, 0, e)) < 0)
		return r;
	return gridfs_tail_store(w, e);
}

static int
resume_take_once(struct gridfs_writer *w, struct err *e)
{
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct resume_last last;
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0 || (r = resume_look(w, &s, &last, e)) < 0)
		return r;
	if (last.n >= 0 && last.named)
		return resume_take_named(w, &s, &last, e);
	gridfs_end(&s);
	if (last.n < 0 || last.len == CHUNK_SIZE)
		return resume_take_next(w, last.n + 1, e);
	w->n = (int32_t)last.n;
	w->port.length = last.n * CHUNK_SIZE + (int64_t)last.len;
	w->tail_sealed = true;
	return 0;
}

/* Asked after the tail was taken: a commit that we have not seen has sealed it before. */
static int
resume_check(struct gridfs_writer *w, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *query = gridfs_by_id("files_id", &w->port.id);
	int64_t chunks = 0;
	int r;

	if ((r = gridfs_is_committed(w->store, &w->port.id, e)) != 0)
		return r < 0 ? r : err_set(e, ERR_CONFLICT, "%s is a blob", w->port.id.hex);
	if ((r = gridfs_count_chunks(w->store, query, &chunks, e)) < 0)
		return r;
	if (chunks != (int64_t)w->n + 1)
		return err_set(e, ERR_CONFLICT, "%s has %lld chunks before number %d",
			       w->port.id.hex, (long long)chunks - 1, w->n);
	return 0;
}

static int
resume_take(struct gridfs_writer *w, struct err *e)
{
	int r;

	if ((r = gridfs_ensure_indexes(w->store, e)) < 0)
		return r;
	if ((r = gridfs_is_committed(w->store, &w->port.id, e)) != 0)
		return r < 0 ? r : err_set(e, ERR_CONFLICT, "%s is a blob", w->port.id.hex);
	for (int i = 0; i < TAKE_TRIES; i++)
		if ((r = resume_take_once(w, e)) != ERR_CONFLICT)
			break;
	return r < 0 ? r : resume_check(w, e);
}

int
gridfs_writer_resume(struct blob_gridfs *g, const struct blob_id *id, const struct blob_meta *meta,
		     struct blob_writer **ret, struct err *e)
{
	SCOPED(blob_writer_close_p) struct blob_writer *port = NULL;
	int r;

	if ((r = gridfs_writer_new(g, id, meta, &port, e)) < 0)
		return r;
	port->resumable = true;
	bson_oid_init(&gridfs_writer_of(port)->name, NULL);
	if ((r = resume_take(gridfs_writer_of(port), e)) < 0)
		return r;
	*ret = TAKE(port);
	return 0;
}
