#define _XOPEN_SOURCE 700 /* nftw */
#include "contract/blob/blob_dir_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/scope.h"

int
dir_fixture_start(struct dir_fixture *f)
{
	(void)snprintf(f->path, sizeof f->path, "/tmp/tonearm-test-dir-XXXXXX");
	if (!mkdtemp(f->path)) {
		perror("mkdtemp");
		return -1;
	}
	(void)snprintf(f->hidden, sizeof f->hidden, "%s-hidden", f->path);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void
dir_fixture_stop(struct dir_fixture *f)
{
	if (nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		perror(f->path);
}

struct blob_store *
dir_fixture_open(struct dir_fixture *f, const char *name)
{
	struct blob_store *s = NULL;
	struct err e = ERR_NONE;

	if (blob_dir_new(f->path, name, &s, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return s;
}

struct dir_path_text
dir_fixture_path(const struct dir_fixture *f, const char *name, const struct blob_id *id,
		 const char *ending)
{
	struct dir_path_text path;

	(void)snprintf(path.text, sizeof path.text, "%s/%s/%.4s/%.2s/%s%s", f->path, name, id->hex,
		       id->hex + 4, id->hex, ending);
	return path;
}

int64_t
dir_fixture_files(const struct dir_fixture *f, const char *name, const struct blob_id *id)
{
	static const char *const endings[] = { "", ".part", ".meta" };
	int64_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		n += access(dir_fixture_path(f, name, id, endings[i]).text, F_OK) == 0;
	return n;
}

static void
move(const char *from, const char *to)
{
	if (rename(from, to) < 0) {
		perror(from);
		abort();
	}
}

void
dir_fixture_hide(struct dir_fixture *f)
{
	move(f->path, f->hidden);
}

void
dir_fixture_show(struct dir_fixture *f)
{
	move(f->hidden, f->path);
}
