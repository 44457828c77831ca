#include "adapter/dir/private.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text/str.h"

static int
dir_open(struct blob_store *store, const struct blob_id *id, struct blob_reader **ret,
	 struct err *e)
{
	return dir_reader_new(blob_dir_of(store), id, ret, e);
}

static int
dir_create(struct blob_store *store, const struct blob_id *id, const struct blob_meta *meta,
	   struct blob_writer **ret, struct err *e)
{
	return dir_writer_new(blob_dir_of(store), id, meta, DIR_PART_NEW, ret, e);
}

static int
dir_resume(struct blob_store *store, const struct blob_id *id, const struct blob_meta *meta,
	   struct blob_writer **ret, struct err *e)
{
	return dir_writer_new(blob_dir_of(store), id, meta, DIR_PART_ANY, ret, e);
}

/* The part first: then no commit can come in between and leave a blob without its metadata. */
static int
dir_remove(struct blob_store *store, const struct blob_id *id, struct err *e)
{
	static const enum dir_file order[] = { DIR_PART, DIR_BLOB, DIR_META };
	struct blob_dir *d = blob_dir_of(store);
	int r;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct dir_path path = dir_path_of(d, id, order[i]);

		if ((r = dir_unlink(&path, e)) < 0)
			return r;
	}
	dir_shard_tidy(d, id);
	return 0;
}

static int
dir_ping(struct blob_store *store, struct err *e)
{
	struct blob_dir *d = blob_dir_of(store);
	int r = dir_root_make(d, e);

	if (r == 0 && access(d->root, R_OK | W_OK | X_OK) < 0)
		r = dir_err(e, errno, d->root);
	return r;
}

static void
dir_close(struct blob_store *store)
{
	free(blob_dir_of(store));
}

static const struct blob_store_ops dir_ops = {
	.open = dir_open,
	.create = dir_create,
	.resume = dir_resume,
	.remove = dir_remove,
	.leftover = dir_leftover,
	.clear = dir_clear,
	.next_id = dir_next_id,
	.ping = dir_ping,
	.close = dir_close,
};

int
blob_dir_check(const char *path, struct err *e)
{
	if (path[0] != '/')
		return err_set(e, ERR_INVALID, "\"%.60s\" is no absolute path", path);
	if (strlen(path) > DIR_ROOT_MAX - DIR_NAME_MAX)
		return err_set(e, ERR_INVALID, "the path is longer than %d bytes",
			       DIR_ROOT_MAX - DIR_NAME_MAX);
	return 0;
}

int
blob_dir_new(const char *path, const char *name, struct blob_store **ret, struct err *e)
{
	SCOPED_FREE struct blob_dir *d = calloc(1, sizeof *d);
	int r = blob_dir_check(path, e);

	if (r < 0)
		return r;
	if (!d)
		return err_set(e, ERR_NO_MEMORY, "blob store");
	if ((r = str_copy(d->path, sizeof d->path, path, e)) < 0)
		return r;
	(void)snprintf(d->root, sizeof d->root, "%.*s/%.*s", DIR_ROOT_MAX - DIR_NAME_MAX, path,
		       DIR_NAME_MAX - 2, name);
	d->port.ops = &dir_ops;
	(void)dir_root_make(d, NULL); /* a disk that comes later: pings say what is missing */
	*ret = &TAKE(d)->port;
	return 0;
}
