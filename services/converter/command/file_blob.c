/* mkostemp */
#define _GNU_SOURCE
#include "converter/command/file_blob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/str.h"

struct file_reader {
	struct blob_reader port;
	int fd;
	int64_t position;
};

struct file_writer {
	struct blob_writer port;
	int fd;
	bool committed;
	char path[PATH_MAX], part[PATH_MAX];
};

static int
file_error_of(int cause)
{
	switch (cause) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_DENIED;
	case ENOSPC:
	case EDQUOT:
		return ERR_TOO_LARGE;
	default:
		return ERR_INTERNAL;
	}
}

static int
file_reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct file_reader *r = CONTAINER_OF(port, struct file_reader, port);
	ssize_t got;

	do
		got = pread(r->fd, to, size, r->position);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, file_error_of(errno), errno, "read");
	r->position += got;
	port->fetched += got;
	*ret_got = (size_t)got;
	return 0;
}

static int
file_reader_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	if (offset < 0 || offset > port->info.length)
		return err_set(e, ERR_INVALID, "seek outside the file");
	CONTAINER_OF(port, struct file_reader, port)->position = offset;
	return 0;
}

static void
file_reader_close(struct blob_reader *port)
{
	struct file_reader *r = CONTAINER_OF(port, struct file_reader, port);

	(void)close(r->fd);
	free(r);
}

static const struct blob_reader_ops file_reader_ops = {
	.read = file_reader_read,
	.seek = file_reader_seek,
	.close = file_reader_close,
};

int
file_blob_open(const char *path, struct blob_reader **ret, struct err *e)
{
	/* not to wait for a pipe's other end */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct file_reader *r;
	struct stat st;

	if (fd < 0)
		return err_errno(e, file_error_of(errno), errno, path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(e, ERR_INVALID, "%s: not a regular file", path);
	}
	if (!(r = calloc(1, sizeof *r))) {
		(void)close(fd);
		return err_set(e, ERR_NO_MEMORY, "file reader");
	}
	r->port.ops = &file_reader_ops;
	r->port.info.length = st.st_size;
	r->fd = fd;
	*ret = &r->port;
	return 0;
}

static int
file_write_at(int fd, const void *data, size_t len, int64_t offset, struct err *e)
{
	const char *at = data;

	while (len > 0) {
		ssize_t put = pwrite(fd, at, len, offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_errno(e, file_error_of(errno), errno, "write");
		at += put;
		offset += put;
		len -= (size_t)put;
	}
	return 0;
}

static int
file_writer_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct file_writer *w = CONTAINER_OF(port, struct file_writer, port);
	int r = file_write_at(w->fd, data, len, port->length, e);

	if (r == 0)
		port->length += (int64_t)len;
	return r;
}

static int
file_writer_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len,
		  struct err *e)
{
	return file_write_at(CONTAINER_OF(port, struct file_writer, port)->fd, data, len, offset,
			     e);
}

static int
file_writer_commit(struct blob_writer *port, struct err *e)
{
	struct file_writer *w = CONTAINER_OF(port, struct file_writer, port);

	if (fsync(w->fd) < 0)
		return err_errno(e, file_error_of(errno), errno, w->part);
	if (rename(w->part, w->path) < 0)
		return err_errno(e, file_error_of(errno), errno, w->path);
	w->committed = true;
	return 0;
}

static void
file_writer_close(struct blob_writer *port)
{
	struct file_writer *w = CONTAINER_OF(port, struct file_writer, port);

	(void)close(w->fd);
	if (!w->committed)
		(void)unlink(w->part);
	free(w);
}

static const struct blob_writer_ops file_writer_ops = {
	.write = file_writer_write,
	.patch = file_writer_patch,
	.commit = file_writer_commit,
	.close = file_writer_close,
};

/* A name of our own beside path, with the rights that a new file gets. */
static int
file_make_part(struct file_writer *w, struct err *e)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	if ((w->fd = mkostemp(w->part, O_CLOEXEC)) < 0)
		return err_errno(e, file_error_of(errno), errno, w->path);
	(void)fchmod(w->fd, 0666 & ~mask);
	return 0;
}

int
file_blob_create(const char *path, struct blob_writer **ret, struct err *e)
{
	SCOPED_FREE struct file_writer *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "file writer");
	if ((r = str_copy(w->path, sizeof w->path, path, e)) < 0)
		return r;
	if (snprintf(w->part, sizeof w->part, "%s.part.XXXXXX", path) >= (int)sizeof w->part)
		return err_set(e, ERR_INVALID, "the path is too long");
	if ((r = file_make_part(w, e)) < 0)
		return r;
	w->port.ops = &file_writer_ops;
	*ret = &TAKE(w)->port;
	return 0;
}
