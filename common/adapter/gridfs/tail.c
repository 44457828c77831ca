/* The last chunk of an upload that goes on, in the store before it is full (see writer.h). */
#include "adapter/gridfs/writer.h"

#include "base/clock.h"

enum tail_state { TAIL_NAMED, TAIL_FINAL };

static const uint8_t *
tail_data(const struct gridfs_writer *w)
{
	return w->open.len > 0 ? w->open.doc + SLOT_DATA_AT : (const uint8_t *)"";
}

static bson_t *
tail_filter(const struct gridfs_writer *w)
{
	bson_t *filter = gridfs_by_id("files_id", &w->port.id);

	BSON_APPEND_INT32(filter, "n", w->n);
	return filter;
}

/* The chunk as it is to be. */
static bson_t *
tail_document(const struct gridfs_writer *w, enum tail_state state)
{
	bson_t *doc = bson_new();
	bson_oid_t own, files;

	bson_oid_init(&own, NULL);
	bson_oid_init_from_string(&files, w->port.id.hex);
	BSON_APPEND_OID(doc, "_id", &own);
	BSON_APPEND_OID(doc, "files_id", &files);
	BSON_APPEND_INT32(doc, "n", w->n);
	BSON_APPEND_BINARY(doc, "data", BSON_SUBTYPE_BINARY, tail_data(w), (uint32_t)w->open.len);
	if (state == TAIL_NAMED)
		BSON_APPEND_OID(doc, "writer", &w->name);
	return doc;
}

/* What makes the chunk of it, where it is in the store and has our name. */
static bson_t *
tail_change(const struct gridfs_writer *w, enum tail_state state)
{
	bson_t *change = bson_new(), part;

	BSON_APPEND_DOCUMENT_BEGIN(change, "$set", &part);
	BSON_APPEND_BINARY(&part, "data", BSON_SUBTYPE_BINARY, tail_data(w), (uint32_t)w->open.len);
	bson_append_document_end(change, &part);
	if (state == TAIL_FINAL) {
		BSON_APPEND_DOCUMENT_BEGIN(change, "$unset", &part);
		BSON_APPEND_UTF8(&part, "writer", "");
		bson_append_document_end(change, &part);
	}
	return change;
}

static int
tail_insert(struct gridfs_writer *w, struct gridfs_session *s, const bson_t *options,
	    enum tail_state state, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *doc = tail_document(w, state);
	bson_error_t error;

	if (!mongoc_collection_insert_one(s->chunks, doc, options, NULL, &error))
		return mongo_err(e, &error, "insert the last chunk");
	return 0;
}

static int
tail_update(struct gridfs_writer *w, struct gridfs_session *s, const bson_t *options,
	    enum tail_state state, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = tail_filter(w);
	SCOPED(gridfs_bson_free_p) bson_t *change = tail_change(w, state);
	bson_t reply;
	bson_error_t error;
	bson_iter_t it;
	int r = 0;

	BSON_APPEND_OID(filter, "writer", &w->name);
	if (!mongoc_collection_update_one(s->chunks, filter, change, options, &reply, &error))
		r = mongo_err(e, &error, "change the last chunk");
	else if (!bson_iter_init_find(&it, &reply, "matchedCount") || bson_iter_as_int64(&it) != 1)
		r = err_set(e, ERR_CONFLICT, "another writer has the last chunk");
	bson_destroy(&reply);
	return r;
}

static int
tail_put_once(struct gridfs_writer *w, enum tail_state state, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *options = gridfs_durable_options(w->store);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	w->sent = true;
	return w->tail_stored ? tail_update(w, &s, options, state, e)
			      : tail_insert(w, &s, options, state, e);
}

/* Whether the chunk is there as it is to be: an earlier try had arrived. */
static bool
tail_is_there(struct gridfs_writer *w, enum tail_state state)
{
	SCOPED(gridfs_bson_free_p) bson_t *query = tail_filter(w);
	int64_t n = 0;
	bson_t absent;

	BSON_APPEND_BINARY(query, "data", BSON_SUBTYPE_BINARY, tail_data(w), (uint32_t)w->open.len);
	if (state == TAIL_NAMED) {
		BSON_APPEND_OID(query, "writer", &w->name);
	} else {
		BSON_APPEND_DOCUMENT_BEGIN(query, "writer", &absent);
		BSON_APPEND_BOOL(&absent, "$exists", false);
		bson_append_document_end(query, &absent);
	}
	return gridfs_count_chunks(w->store, query, &n, NULL) == 0 && n == 1;
}

static int
tail_put(struct gridfs_writer *w, enum tail_state state, struct err *e)
{
	int64_t until = now_monotonic_ms() + mongo_pool_deadline_ms(w->store->pool);
	int r;

	for (bool repeat = false;; repeat = true) {
		r = tail_put_once(w, state, e);
		if (r == ERR_CONFLICT && repeat && tail_is_there(w, state))
			r = 0;
		if (!err_is_transient(r) || !gridfs_retry_pause(until))
			return r;
	}
}

/* A number that was free may lie behind a blob which another writer has finished meanwhile. */
static int
tail_check_open(struct gridfs_writer *w, struct err *e)
{
	int r = gridfs_is_committed(w->store, &w->port.id, e);

	return r > 0 ? err_set(e, ERR_CONFLICT, "%s is a blob", w->port.id.hex) : r;
}

int
gridfs_tail_store(struct gridfs_writer *w, struct err *e)
{
	int r = tail_put(w, TAIL_NAMED, e);

	if (r < 0)
		return r;
	if (w->tail_stored)
		return 0;
	w->tail_stored = true;
	return tail_check_open(w, e);
}

int
gridfs_tail_seal(struct gridfs_writer *w, struct err *e)
{
	int r = tail_put(w, TAIL_FINAL, e);

	if (r == 0)
		w->tail_stored = false;
	return r;
}
