/* The folders of a store: made when they are first needed, and on the disk before a blob is in them.
 */
#include "adapter/dir/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define FOLDER_MODE 0770 /* less the umask */
#define TIDY_AGE_S 3600  /* no writer begins in a folder that old: ids are fresh */

static int
folder_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return dir_err(e, errno, path);
	/* some network file systems cannot, and need not */
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		r = dir_err(e, errno, path);
	(void)close(fd);
	return r;
}

/* A missing parent is no missing blob. */
static int
folder_err(struct err *e, const char *path)
{
	int r = dir_err(e, errno, path);

	if (r != ERR_NOT_FOUND && r != ERR_CONFLICT)
		return r;
	if (e)
		e->code = ERR_UNAVAILABLE;
	return ERR_UNAVAILABLE;
}

static int
folder_make(const char *path, struct err *e)
{
	struct stat st;

	if (mkdir(path, FOLDER_MODE) == 0)
		return 0;
	if (errno != EEXIST)
		return folder_err(e, path);
	if (stat(path, &st) < 0)
		return folder_err(e, path);
	return S_ISDIR(st.st_mode) ? 0 : err_set(e, ERR_UNAVAILABLE, "%s: is no folder", path);
}

int
dir_root_make(const struct blob_dir *d, struct err *e)
{
	return folder_make(d->root, e);
}

static struct dir_path
shard_path(const struct blob_dir *d, const struct blob_id *id, int levels)
{
	struct dir_path path;

	(void)snprintf(path.text, sizeof path.text, levels == 1 ? "%s/%.4s" : "%s/%.4s/%.2s",
		       d->root, id->hex, id->hex + 4);
	return path;
}

static unsigned
shard_of(const struct blob_id *id)
{
	char digits[DIR_SHARD_DIGITS + 1];

	(void)snprintf(digits, sizeof digits, "%.6s", id->hex);
	return 1 + (unsigned)strtoul(digits, NULL, 16);
}

/* Also what another process has made is put on the disk, once per process: that one may not have
 * come so far. */
int
dir_shard_make(struct blob_dir *d, const struct blob_id *id, struct err *e)
{
	struct dir_path outer = shard_path(d, id, 1), inner = shard_path(d, id, 2);
	int r;

	if ((r = dir_root_make(d, e)) < 0 || (r = folder_make(outer.text, e)) < 0 ||
	    (r = folder_make(inner.text, e)) < 0)
		return r;
	if (atomic_load(&d->shard) == shard_of(id))
		return 0;
	if ((r = folder_sync(d->path, e)) < 0 || (r = folder_sync(d->root, e)) < 0 ||
	    (r = folder_sync(outer.text, e)) < 0)
		return r;
	atomic_store(&d->shard, shard_of(id));
	return 0;
}

int
dir_shard_sync(const struct blob_dir *d, const struct blob_id *id, struct err *e)
{
	struct dir_path inner = shard_path(d, id, 2);

	return folder_sync(inner.text, e);
}

void
dir_shard_tidy(const struct blob_dir *d, const struct blob_id *id)
{
	char digits[9];

	(void)snprintf(digits, sizeof digits, "%.8s", id->hex);
	if ((int64_t)strtoul(digits, NULL, 16) > now_unix_ms() / 1000 - TIDY_AGE_S)
		return;
	for (int levels = 2; levels > 0; levels--) {
		struct dir_path folder = shard_path(d, id, levels);

		if (rmdir(folder.text) < 0)
			return;
	}
}

int
dir_unlink(const struct dir_path *path, struct err *e)
{
	return unlink(path->text) == 0 || errno == ENOENT ? 0 : dir_err(e, errno, path->text);
}

int
dir_missing(const struct blob_dir *d, struct err *e)
{
	if (access(d->root, F_OK) < 0)
		return err_errno(e, ERR_UNAVAILABLE, errno, d->root);
	return err_set(e, ERR_NOT_FOUND, "no such blob");
}

int
dir_exists(const struct blob_dir *d, const struct dir_path *path, struct err *e)
{
	int r;

	if (access(path->text, F_OK) == 0)
		return 1;
	if (errno != ENOENT)
		return dir_err(e, errno, path->text);
	return (r = dir_missing(d, e)) == ERR_NOT_FOUND ? 0 : r;
}
