#include "adapter/gridfs/private.h"

#include <stdio.h>
#include <string.h>

#include "adapter/gridfs/ahead.h"
#include "base/text/str.h"

static int
gridfs_open(struct blob_store *store, const struct blob_id *id, struct blob_reader **ret,
	    struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_gridfs *g = blob_gridfs_of(store);
	struct blob_info info;
	int r;

	if ((r = gridfs_begin(g, &s, e)) < 0 || (r = gridfs_find_file(&s, filter, &info, e)) < 0)
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
gridfs_resume(struct blob_store *store, const struct blob_id *id, const struct blob_meta *meta,
	      struct blob_writer **ret, struct err *e)
{
	return gridfs_writer_resume(blob_gridfs_of(store), id, meta, ret, e);
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

	gridfs_orphans_stop(g->orphans);
	gridfs_ahead_free(g->ahead);
	free(g);
}

static const struct blob_store_ops gridfs_ops = {
	.open = gridfs_open,
	.create = gridfs_create,
	.resume = gridfs_resume,
	.remove = gridfs_remove,
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
	SCOPED(gridfs_ahead_free_p) struct gridfs_ahead *ahead = NULL;
	int r;

	if (!g)
		return err_set(e, ERR_NO_MEMORY, "blob store");
	g->port.ops = &gridfs_ops;
	g->pool = pool;
	if ((r = str_copy(g->database, sizeof g->database, database, e)) < 0 ||
	    (r = gridfs_ahead_new(&ahead, e)) < 0 ||
	    (r = gridfs_orphans_start(g, &g->orphans, e)) < 0)
		return r;
	g->ahead = TAKE(ahead);
	*ret = &TAKE(g)->port;
	return 0;
}
