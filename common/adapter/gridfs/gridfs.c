#include "adapter/gridfs/private.h"

#include <stdio.h>
#include <string.h>

#include "adapter/gridfs/ahead.h"
#include "base/text/str.h"

static void
demand_majority(mongoc_collection_t *c, int64_t deadline_ms)
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
	demand_majority(ret->files, deadline);
	demand_majority(ret->chunks, deadline);
	return 0;
}

void
gridfs_end(struct gridfs_session *s)
{
	if (s->client == NULL)
		return;
	mongoc_collection_destroy(s->files);
	mongoc_collection_destroy(s->chunks);
	mongo_pool_release(s->pool, s->client);
	*s = (struct gridfs_session){ 0 };
}

/* The partial index covers only what has the field: MsgQ's documents have none. */
int
gridfs_ensure_indexes(struct blob_gridfs *g, struct err *e)
{
	SCOPED(gridfs_bson_free_p)
	bson_t *files = BCON_NEW(
		"createIndexes", "fs.files", "indexes", "[", "{", "name", "filename_1_uploadDate_1",
		"key", "{", "filename", BCON_INT32(1), "uploadDate", BCON_INT32(1), "}", "}", "{",
		"name", "metadata.video_fid_1", "key", "{", "metadata.video_fid", BCON_INT32(1),
		"}", "unique", BCON_BOOL(true), "partialFilterExpression", "{",
		"metadata.video_fid", "{", "$exists", BCON_BOOL(true), "}", "}", "}", "]");
	SCOPED(gridfs_bson_free_p)
	bson_t *chunks = BCON_NEW("createIndexes", "fs.chunks", "indexes", "[", "{", "name",
				  "files_id_1_n_1", "key", "{", "files_id", BCON_INT32(1), "n",
				  BCON_INT32(1), "}", "unique", BCON_BOOL(true), "}", "]");
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if (atomic_load(&g->indexed))
		return 0;
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

static int
find_file(struct gridfs_session *s, const bson_t *filter, struct blob_info *ret, struct err *e)
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

static int
gridfs_open(struct blob_store *store, const struct blob_id *id, struct blob_reader **ret,
	    struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_gridfs *g = blob_gridfs_of(store);
	struct blob_info info;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0 || (r = find_file(&s, filter, &info, e)) < 0)
		return r;
	return gridfs_reader_new(g, &info, ret, e);
}

static int
gridfs_create(struct blob_store *store, const struct blob_id *id, const struct blob_meta *meta,
	      struct blob_writer **ret, struct err *e)
{
	return gridfs_writer_new(blob_gridfs_of(store), id, meta, ret, e);
}

static int
gridfs_find_output(struct blob_store *store, const struct blob_id *video, struct blob_id *ret,
		   struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("metadata.video_fid", video);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_info info;
	int r;

	if ((r = gridfs_begin(blob_gridfs_of(store), &s, e)) < 0 ||
	    (r = find_file(&s, filter, &info, e)) < 0)
		return r;
	*ret = info.id;
	return 0;
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

static int
gridfs_remove(struct blob_store *store, const struct blob_id *id, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_gridfs *g = blob_gridfs_of(store);
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0)
		return r;
	if (!mongoc_collection_delete_one(s.files, filter, NULL, NULL, &error))
		return mongo_err(e, &error, "delete blob");
	gridfs_end(&s);
	return gridfs_delete_chunks(g, id, e);
}

static int
gridfs_ping(struct blob_store *store, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = BCON_NEW("ping", BCON_INT32(1));
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(blob_gridfs_of(store), &s, e)) < 0)
		return r;
	if (!mongoc_client_command_simple(s.client, "admin", command, NULL, NULL, &error))
		return mongo_err(e, &error, "ping");
	return 0;
}

static void
gridfs_close(struct blob_store *store)
{
	struct blob_gridfs *g = blob_gridfs_of(store);

	orphans_stop(g->orphans);
	ahead_free(g->ahead);
	free(g);
}

static const struct blob_store_ops gridfs_ops = {
	.open = gridfs_open,
	.create = gridfs_create,
	.find_output = gridfs_find_output,
	.remove = gridfs_remove,
	.usage = gridfs_usage,
	.leftover = gridfs_leftover,
	.clear = gridfs_clear,
	.next_id = gridfs_next_id,
	.ping = gridfs_ping,
	.close = gridfs_close,
};

int
blob_gridfs_new(struct mongo_pool *pool, const char *database, struct blob_store **ret,
		struct err *e)
{
	SCOPED_FREE struct blob_gridfs *g = calloc(1, sizeof *g);
	SCOPED(ahead_free_p) struct ahead *ahead = NULL;
	int r;

	if (g == NULL)
		return err_set(e, ERR_NO_MEMORY, "blob store");
	g->port.ops = &gridfs_ops;
	g->pool = pool;
	if ((r = str_copy(g->database, sizeof g->database, database, e)) < 0 ||
	    (r = ahead_new(&ahead, e)) < 0 || (r = orphans_start(g, &g->orphans, e)) < 0)
		return r;
	g->ahead = TAKE(ahead);
	*ret = &TAKE(g)->port;
	return 0;
}
