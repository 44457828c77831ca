/* How much one owner has stored: a sum over an index that holds owner and length, no document read.
 * The index is made at the first question, because only a gateway with a ceiling asks. */
#include "adapter/gridfs/private.h"

static int
usage_ensure_index(struct blob_gridfs *g, struct gridfs_session *s, struct err *e)
{
	SCOPED(gridfs_bson_free_p)
	bson_t *files = BCON_NEW("createIndexes", "fs.files", "indexes", "[", "{", "name",
				 "metadata.owner_1_length_1", "key", "{", "metadata.owner",
				 BCON_INT32(1), "length", BCON_INT32(1), "}", "}", "]");
	bson_error_t error;

	if (atomic_load(&g->usage_indexed))
		return 0;
	if (!mongoc_client_write_command_with_opts(s->client, g->database, files, NULL, NULL,
						   &error))
		return mongo_err(e, &error, "index of owners");
	atomic_store(&g->usage_indexed, true);
	return 0;
}

int
gridfs_usage(struct blob_store *store, const char *owner, int64_t *ret_bytes, struct err *e)
{
	SCOPED(gridfs_bson_free_p)
	bson_t *pipeline =
		BCON_NEW("pipeline", "[", "{", "$match", "{", "metadata.owner", BCON_UTF8(owner),
			 "}", "}", "{", "$group", "{", "_id", BCON_NULL, "bytes", "{", "$sum",
			 BCON_UTF8("$length"), "}", "}", "}", "]");
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_gridfs *g = blob_gridfs_of(store);
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bson_error_t error;
	bson_iter_t it;
	int64_t bytes = 0;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0 || (r = usage_ensure_index(g, &s, e)) < 0)
		return r;
	cursor = mongoc_collection_aggregate(s.files, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	if (mongoc_cursor_next(cursor, &doc) && bson_iter_init_find(&it, doc, "bytes"))
		bytes = bson_iter_as_int64(&it);
	if (mongoc_cursor_error(cursor, &error))
		r = mongo_err(e, &error, "sum of an owner's blobs");
	mongoc_cursor_destroy(cursor);
	if (r == 0)
		*ret_bytes = bytes;
	return r;
}
