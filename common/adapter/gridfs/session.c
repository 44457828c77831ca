#include "adapter/gridfs/private.h"

static void
session_demand_majority(mongoc_collection_t *c, int64_t deadline_ms)
{
	mongoc_write_concern_t *w = mongoc_write_concern_new();
	mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);

	mongoc_write_concern_set_wmajority(w, (int32_t)deadline_ms);
	mongoc_collection_set_write_concern(c, w);
	mongoc_collection_set_read_prefs(c, primary);
	mongoc_write_concern_destroy(w);
	mongoc_read_prefs_destroy(primary);
}

int
gridfs_begin(struct blob_gridfs *g, struct gridfs_session *ret, struct err *e)
{
	int64_t deadline = mongo_pool_deadline_ms(g->pool);
	int r;

	if ((r = mongo_pool_pop(g->pool, &ret->client, e)) < 0)
		return r;
	ret->pool = g->pool;
	ret->files = mongoc_client_get_collection(ret->client, g->database, "fs.files");
	ret->chunks = mongoc_client_get_collection(ret->client, g->database, "fs.chunks");
	session_demand_majority(ret->files, deadline);
	session_demand_majority(ret->chunks, deadline);
	return 0;
}

void
gridfs_end(struct gridfs_session *s)
{
	if (!s->client)
		return;
	mongoc_collection_destroy(s->files);
	mongoc_collection_destroy(s->chunks);
	mongo_pool_release(s->pool, s->client);
	*s = (struct gridfs_session){ 0 };
}

/* clang-format off */
/* The partial index covers only what has the field: MsgQ's documents have none. */
static bson_t *
session_files_indexes(void)
{
	return BCON_NEW(
		"createIndexes", "fs.files",
		"indexes", "[",
			"{",
				"name", "filename_1_uploadDate_1",
				"key", "{",
					"filename", BCON_INT32(1),
					"uploadDate", BCON_INT32(1),
				"}",
			"}",
			"{",
				"name", "metadata.video_fid_1",
				"key", "{",
					"metadata.video_fid", BCON_INT32(1),
				"}",
				"unique", BCON_BOOL(true),
				"partialFilterExpression", "{",
					"metadata.video_fid", "{", "$exists", BCON_BOOL(true), "}",
				"}",
			"}",
		"]");
}

static bson_t *
session_chunks_indexes(void)
{
	return BCON_NEW(
		"createIndexes", "fs.chunks",
		"indexes", "[",
			"{",
				"name", "files_id_1_n_1",
				"key", "{",
					"files_id", BCON_INT32(1),
					"n", BCON_INT32(1),
				"}",
				"unique", BCON_BOOL(true),
			"}",
		"]");
}
/* clang-format on */

static int
session_make_indexes(struct blob_gridfs *g, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *files = session_files_indexes();
	SCOPED(gridfs_bson_free_p) bson_t *chunks = session_chunks_indexes();
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	if (!mongoc_client_write_command_with_opts(s.client, g->database, files, NULL, NULL,
						   &error) ||
	    !mongoc_client_write_command_with_opts(s.client, g->database, chunks, NULL, NULL,
						   &error))
		return mongo_err(e, &error, "blob indexes");
	atomic_store(&g->indexed, true);
	return 0;
}

int
gridfs_ensure_indexes(struct blob_gridfs *g, struct err *e)
{
	return atomic_load(&g->indexed) ? 0 : session_make_indexes(g, e);
}

int
gridfs_delete_chunks(struct blob_gridfs *g, const struct blob_id *id, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("files_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	if (!mongoc_collection_delete_many(s.chunks, filter, NULL, NULL, &error))
		return mongo_err(e, &error, "delete chunks");
	return 0;
}

int
gridfs_find_file(struct gridfs_session *s, const bson_t *filter, struct blob_info *ret,
		 struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *options = BCON_NEW("limit", BCON_INT64(1));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(s->files, filter, options, NULL);
	const bson_t *doc;
	bson_error_t error;
	int r;

	if (mongoc_cursor_next(cursor, &doc))
		r = gridfs_file_read(doc, ret, e);
	else if (mongoc_cursor_error(cursor, &error))
		r = mongo_err(e, &error, "find blob");
	else
		r = err_set(e, ERR_NOT_FOUND, "no such blob");
	mongoc_cursor_destroy(cursor);
	return r;
}

int
gridfs_is_committed(struct blob_gridfs *g, const struct blob_id *id, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int64_t n;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	n = mongoc_collection_count_documents(s.files, filter, NULL, NULL, NULL, &error);
	return n < 0 ? mongo_err(e, &error, "find blob") : n > 0;
}

/* Chunks from that number on. */
static int
session_delete_from(struct gridfs_session *s, const struct blob_id *id, int64_t n, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("files_id", id);
	bson_error_t error;
	bson_t from;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "n", &from);
	BSON_APPEND_INT64(&from, "$gte", n);
	bson_append_document_end(filter, &from);
	if (!mongoc_collection_delete_many(s->chunks, filter, NULL, NULL, &error))
		return mongo_err(e, &error, "delete chunks");
	return 0;
}

int
gridfs_trim(struct blob_gridfs *g, const struct blob_id *id, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_info info;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	if ((r = gridfs_find_file(&s, filter, &info, e)) < 0)
		return r == ERR_NOT_FOUND ? 0 : r;
	return session_delete_from(&s, id, gridfs_chunk_count(&info), e);
}

int
gridfs_count_chunks(struct blob_gridfs *g, const bson_t *query, int64_t *ret, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = NULL;
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_t reply = BSON_INITIALIZER;
	bson_error_t error;
	bson_iter_t it;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	/* clang-format off */
	command = BCON_NEW(
		"count", "fs.chunks",
		"query", BCON_DOCUMENT(query),
		"readConcern", "{", "level", "majority", "}");
	/* clang-format on */
	if (!mongoc_client_command_simple(s.client, g->database, command, NULL, &reply, &error))
		r = mongo_err(e, &error, "count chunks");
	else if (bson_iter_init_find(&it, &reply, "n"))
		*ret = bson_iter_as_int64(&it);
	else
		r = err_set(e, ERR_INTERNAL, "mongodb: count chunks: a reply without a number");
	bson_destroy(&reply);
	return r;
}

bson_t *
gridfs_durable_options(const struct blob_gridfs *g)
{
	/* clang-format off */
	return BCON_NEW(
		"writeConcern", "{",
			"w", "majority",
			"j", BCON_BOOL(true),
			"wtimeout", BCON_INT32((int32_t)mongo_pool_deadline_ms(g->pool)),
		"}");
	/* clang-format on */
}
