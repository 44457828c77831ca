/* What writers left: an <id>.part, or an <id>.meta alone. Ids are found by the names in the folders,
 * which are in the order of the ids. */
#include "adapter/dir/private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LEVELS 3

static int
leftover_refuse_blob(const struct blob_dir *d, const struct blob_id *id, struct err *e)
{
	struct dir_path blob = dir_path_of(d, id, DIR_BLOB);
	int r = dir_exists(d, &blob, e);

	return r > 0 ? err_set(e, ERR_CONFLICT, "%s is a blob", id->hex) : r;
}

static int64_t
leftover_mtime_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* A file that is empty is something to be cleared away too. */
static int64_t
leftover_chunks(int64_t bytes)
{
	return bytes > 0 ? (bytes - 1) / DIR_CHUNK + 1 : 1;
}

int
dir_leftover(struct blob_store *store, const struct blob_id *id, struct blob_leftover *ret,
	     struct err *e)
{
	static const enum dir_file files[] = { DIR_PART, DIR_META };
	struct blob_dir *d = blob_dir_of(store);
	int r = leftover_refuse_blob(d, id, e);
	struct stat st;

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct dir_path path = dir_path_of(d, id, files[i]);

		if (lstat(path.text, &st) == 0) {
			*ret = (struct blob_leftover){ leftover_chunks(st.st_size),
						       leftover_mtime_ms(&st) };
			return 0;
		}
		if (errno != ENOENT)
			return dir_err(e, errno, path.text);
	}
	return err_set(e, ERR_NOT_FOUND, "nothing is left");
}

int
dir_clear(struct blob_store *store, const struct blob_id *id, struct err *e)
{
	struct blob_dir *d = blob_dir_of(store);
	struct dir_path part = dir_path_of(d, id, DIR_PART), meta = dir_path_of(d, id, DIR_META);
	int r = leftover_refuse_blob(d, id, e);

	if (r < 0 || (r = dir_unlink(&part, e)) < 0)
		return r;
	/* a writer was faster: its metadata stays */
	if ((r = leftover_refuse_blob(d, id, e)) < 0 || (r = dir_unlink(&meta, e)) < 0)
		return r;
	dir_shard_tidy(d, id);
	return 0;
}

static bool
leftover_is_hex(const char *name, size_t digits)
{
	size_t n = strspn(name, "0123456789abcdef");

	return n == digits && (digits == BLOB_ID_DIGITS || name[n] == '\0');
}

/* The least name of so many digits above a bound ("" = any); NOT_FOUND when there is none. */
static int
leftover_least(const char *folder, size_t digits, const char *above, char *ret, struct err *e)
{
	char least[BLOB_ID_DIGITS + 1] = "";
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return dir_err(e, errno, folder);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (leftover_is_hex(name, digits) && strncmp(name, above, digits) > 0 &&
		    (!least[0] || strncmp(name, least, digits) < 0))
			(void)snprintf(least, sizeof least, "%.*s", (int)digits, name);
	}
	(void)closedir(dir);
	if (!least[0])
		return err_set(e, ERR_NOT_FOUND, "no more files");
	memcpy(ret, least, digits + 1);
	return 0;
}

/* The least id below a folder that is above another; its own folder is looked through first, then
 * the ones behind it. */
static int
leftover_walk(const char *folder, int level, const char *after, char *ret, struct err *e)
{
	static const struct {
		size_t at, digits;
	} parts[LEVELS] = { { 0, 4 }, { 4, 2 }, { 0, BLOB_ID_DIGITS } };
	char name[BLOB_ID_DIGITS + 1] = "";
	struct dir_path inner;
	int r;

	if (level == LEVELS - 1)
		return leftover_least(folder, parts[level].digits, after, ret, e);
	if (after[0])
		memcpy(name, after + parts[level].at, parts[level].digits);
	else if ((r = leftover_least(folder, parts[level].digits, "", name, e)) < 0)
		return r;
	for (;; after = "") {
		(void)snprintf(inner.text, sizeof inner.text, "%s/%s", folder, name);
		r = leftover_walk(inner.text, level + 1, after, ret, e);
		if (r != ERR_NOT_FOUND)
			return r;
		if ((r = leftover_least(folder, parts[level].digits, name, name, e)) < 0)
			return r;
	}
}

int
dir_next_id(struct blob_store *store, const struct blob_id *after, struct blob_id *ret,
	    struct err *e)
{
	struct blob_dir *d = blob_dir_of(store);
	char found[BLOB_ID_DIGITS + 1];
	int r = leftover_walk(d->root, 0, after->hex, found, e);

	if (r == ERR_NOT_FOUND)
		return dir_missing(d, e);
	if (r == 0)
		memcpy(ret->hex, found, sizeof found);
	return r;
}
