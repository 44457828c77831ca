/* Chunks without a blob, found by the index over (files_id, n): one step per id, whatever its size.
 */
#include "adapter/gridfs/private.h"

#define FIRST_ID "000000000000000000000000"

static void
leftover_cursor_free_p(mongoc_cursor_t **cursor)
{
	mongoc_cursor_destroy(*cursor);
}

/* Its _id tells, if it is an ObjectId; of a tail the name of its last writer, too. */
static int64_t
leftover_newest_ms(const bson_t *chunk)
{
	time_t newest;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, chunk, "_id") || !BSON_ITER_HOLDS_OID(&it))
		return INT64_MAX;
	newest = bson_oid_get_time_t(bson_iter_oid(&it));
	if (bson_iter_init_find(&it, chunk, "writer") && BSON_ITER_HOLDS_OID(&it) &&
	    bson_oid_get_time_t(bson_iter_oid(&it)) > newest)
		newest = bson_oid_get_time_t(bson_iter_oid(&it));
	return (int64_t)newest * 1000;
}

/* When the chunk at one end was made. Chunks are written in order, but for a first one that was
 * held back. */
static int
leftover_made_ms(struct gridfs_session *s, const bson_t *filter, int direction, int64_t *ret,
		 struct err *e)
{
	/* clang-format off */
	SCOPED(gridfs_bson_free_p) bson_t *options = BCON_NEW(
		"limit", BCON_INT64(1),
		"sort", "{", "n", BCON_INT32(direction), "}",
		"projection", "{", "_id", BCON_INT32(1), "writer", BCON_INT32(1), "}");
	/* clang-format on */
	SCOPED(leftover_cursor_free_p)
	mongoc_cursor_t *cursor =
		mongoc_collection_find_with_opts(s->chunks, filter, options, NULL);
	const bson_t *doc;
	bson_error_t error;

	if (mongoc_cursor_next(cursor, &doc)) {
		*ret = leftover_newest_ms(doc);
		return 0;
	}
	if (mongoc_cursor_error(cursor, &error))
		return mongo_err(e, &error, "look for chunks");
	return err_set(e, ERR_NOT_FOUND, "no chunks");
}

static int
leftover_look(struct blob_gridfs *g, const struct blob_id *id, struct blob_leftover *ret,
	      struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("files_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	int64_t first = 0, last = 0, chunks;
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0 ||
	    (r = leftover_made_ms(&s, filter, -1, &last, e)) < 0 ||
	    (r = leftover_made_ms(&s, filter, 1, &first, e)) < 0)
		return r;
	chunks = mongoc_collection_count_documents(s.chunks, filter, NULL, NULL, NULL, &error);
	if (chunks < 0)
		return mongo_err(e, &error, "count chunks");
	*ret = (struct blob_leftover){ chunks, first > last ? first : last };
	return 0;
}

static int
leftover_refuse_blob(struct blob_gridfs *g, const struct blob_id *id, struct err *e)
{
	int r = gridfs_is_committed(g, id, e);

	return r > 0 ? err_set(e, ERR_CONFLICT, "%s is a blob", id->hex) : r;
}

int
gridfs_leftover(struct blob_store *store, const struct blob_id *id, struct blob_leftover *ret,
		struct err *e)
{
	struct blob_gridfs *g = blob_gridfs_of(store);
	int r;

	if ((r = leftover_refuse_blob(g, id, e)) < 0)
		return r;
	return leftover_look(g, id, ret, e);
}

int
gridfs_clear(struct blob_store *store, const struct blob_id *id, struct err *e)
{
	struct blob_gridfs *g = blob_gridfs_of(store);
	int r;

	if ((r = leftover_refuse_blob(g, id, e)) < 0)
		return r;
	return gridfs_delete_chunks(g, id, e);
}

static bson_t *
leftover_next_options(void)
{
	/* clang-format off */
	return BCON_NEW(
		"limit", BCON_INT64(1),
		"sort", "{", "files_id", BCON_INT32(1), "}",
		"projection", "{",
			"_id", BCON_INT32(0),
			"files_id", BCON_INT32(1),
		"}",
		"hint", BCON_UTF8("files_id_1_n_1"));
	/* clang-format on */
}

/* Ids of other types than ours are not seen: the server compares within a type. */
int
gridfs_next_id(struct blob_store *store, const struct blob_id *after, struct blob_id *ret,
	       struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = NULL;
	SCOPED(gridfs_bson_free_p) bson_t *options = leftover_next_options();
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	SCOPED(leftover_cursor_free_p) mongoc_cursor_t *cursor = NULL;
	struct blob_gridfs *g = blob_gridfs_of(store);
	bool first = blob_id_is_none(after);
	bson_error_t error;
	const bson_t *doc;
	bson_iter_t it;
	bson_oid_t oid;
	int r;

	if ((r = gridfs_ensure_indexes(g, e)) < 0 || (r = gridfs_begin(g, &s, e)) < 0)
		return r;
	bson_oid_init_from_string(&oid, first ? FIRST_ID : after->hex);
	filter = BCON_NEW("files_id", "{", first ? "$gte" : "$gt", BCON_OID(&oid), "}");
	cursor = mongoc_collection_find_with_opts(s.chunks, filter, options, NULL);
	if (mongoc_cursor_next(cursor, &doc) && bson_iter_init_find(&it, doc, "files_id") &&
	    BSON_ITER_HOLDS_OID(&it)) {
		bson_oid_to_string(bson_iter_oid(&it), ret->hex);
		return 0;
	}
	if (mongoc_cursor_error(cursor, &error))
		return mongo_err(e, &error, "next id of chunks");
	return err_set(e, ERR_NOT_FOUND, "no more chunks");
}
