/* BLOBS: where videos and mp3s are. */
#include "adapter/dir/dir.h"
#include "adapter/gridfs/gridfs.h"
#include "backend/private.h"

struct blob_technology {
	struct technology is;
	const char *server;
	int (*open)(struct backend *b, const char *rest, const char *name, struct blob_store **ret,
		    struct err *e);
};

static int
blobs_gridfs_open(struct backend *b, const char *rest, const char *name, struct blob_store **ret,
		  struct err *e)
{
	struct mongo_pool *pool = NULL;
	int r = backend_mongo(b, &pool, e);

	(void)rest;
	return r < 0 ? r : blob_gridfs_new(pool, name, ret, e);
}

static int
blobs_dir_open(struct backend *b, const char *rest, const char *name, struct blob_store **ret,
	       struct err *e)
{
	(void)b;
	return blob_dir_new(rest, name, ret, e);
}

static const struct blob_technology blobs_gridfs = { { "gridfs:", "gridfs:", technology_bare },
						     SERVER_MONGODB,
						     blobs_gridfs_open };
static const struct blob_technology blobs_dir = { { "dir:", "dir:/path", blob_dir_check },
						  "dir",
						  blobs_dir_open };
static const struct technology *const blobs_all[] = { &blobs_gridfs.is, &blobs_dir.is, NULL };

int
backend_check_blobs(const char *url, struct err *e)
{
	return technology_check(url, blobs_all, e);
}

static int
blobs_ping(void *store, struct err *e)
{
	return blob_store_ping(store, e);
}

int
backend_blobs(struct backend *b, const char *name, struct blob_store **ret, struct err *e)
{
	SCOPED(blob_store_close_p) struct blob_store *store = NULL;
	const struct technology *found = technology_find(b->config->blobs, blobs_all, e);
	const struct blob_technology *t;
	int r;

	if (!found)
		return ERR_INVALID;
	if (b->store_count == BACKEND_STORES)
		return err_set(e, ERR_INTERNAL, "more than %d stores", BACKEND_STORES);
	t = (const struct blob_technology *)(const void *)found; /* its first member */
	r = t->open(b, b->config->blobs + strlen(found->scheme), name, &store, e);
	if (r < 0 || (r = backend_server(b, t->server, blobs_ping, store, e)) < 0)
		return r;
	*ret = b->stores[b->store_count++] = TAKE(store);
	return 0;
}
