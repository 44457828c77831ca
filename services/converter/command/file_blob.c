/* mkostemp, renameat2 */
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
#include "converter/command/spool.h"

struct file_reader {
	struct blob_reader port;
	int fd;
	int64_t start; /* what lies in front was read by whoever gave us the descriptor */
	int64_t position;
};

struct file_writer {
	struct blob_writer port;
	int fd;
	bool replaces, committed;
	char path[PATH_MAX], part[PATH_MAX]; /* "": standard output */
};

bool
file_is_standard(const char *path)
{
	return strcmp(path, "-") == 0;
}

static int
file_reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct file_reader *r = CONTAINER_OF(port, struct file_reader, port);
	ssize_t got;

	do
		got = pread(r->fd, to, size, r->start + r->position);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, spool_error_of(errno), errno, "read");
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

/* Takes fd, whatever happens. */
static int
file_reader_new(int fd, const char *name, struct blob_reader **ret, struct err *e)
{
	int64_t start = lseek(fd, 0, SEEK_CUR);
	struct file_reader *r;
	struct stat st;

	if (start < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return err_set(e, ERR_INVALID, "%s: not a regular file (- is standard input)",
			       name);
	}
	if (!(r = calloc(1, sizeof *r))) {
		(void)close(fd);
		return err_set(e, ERR_NO_MEMORY, "file reader");
	}
	r->port.ops = &file_reader_ops;
	r->port.info.length = st.st_size > start ? st.st_size - start : 0;
	r->fd = fd;
	r->start = start;
	*ret = &r->port;
	return 0;
}

/* All of standard input, in a file that can be read to and fro. */
static int
file_spool_input(int *ret_fd, struct err *e)
{
	int fd, r = spool_open(&fd, e);

	if (r < 0)
		return r;
	if ((r = spool_copy(STDIN_FILENO, fd, e)) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		(void)close(fd);
		return err_prefix(e, r < 0 ? r : ERR_INTERNAL, "standard input");
	}
	*ret_fd = fd;
	return 0;
}

static int
file_open_input(struct blob_reader **ret, struct err *e)
{
	struct stat st;
	int fd = -1, r;

	if (isatty(STDIN_FILENO))
		return err_set(e, ERR_INVALID, "standard input is a terminal");
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		if ((fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) < 0)
			return err_errno(e, ERR_INTERNAL, errno, "standard input");
	} else if ((r = file_spool_input(&fd, e)) < 0) {
		return r;
	}
	return file_reader_new(fd, "standard input", ret, e);
}

int
file_blob_open(const char *path, struct blob_reader **ret, struct err *e)
{
	int fd;

	if (file_is_standard(path))
		return file_open_input(ret, e);
	/* not to wait for a pipe's other end */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return err_errno(e, spool_error_of(errno), errno, path);
	return file_reader_new(fd, path, ret, e);
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
			return err_errno(e, spool_error_of(errno), errno, "write");
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

/* Gives the finished file its name: without replaces only if nothing has it by now. */
static int
file_put_in_place(const struct file_writer *w, struct err *e)
{
	int r = renameat2(AT_FDCWD, w->part, AT_FDCWD, w->path, w->replaces ? 0 : RENAME_NOREPLACE);

	/* a file system that cannot: what was there at the start was looked for */
	if (r < 0 && (errno == EINVAL || errno == ENOSYS))
		r = rename(w->part, w->path);
	return r < 0 ? err_errno(e, spool_error_of(errno), errno, w->path) : 0;
}

static int
file_writer_commit(struct blob_writer *port, struct err *e)
{
	struct file_writer *w = CONTAINER_OF(port, struct file_writer, port);
	int r;

	if (w->part[0] == '\0') {
		if (lseek(w->fd, 0, SEEK_SET) < 0)
			return err_errno(e, ERR_INTERNAL, errno, "seek");
		r = spool_copy(w->fd, STDOUT_FILENO, e);
		return r < 0 ? err_prefix(e, r, "standard output") : 0;
	}
	if (fsync(w->fd) < 0)
		return err_errno(e, spool_error_of(errno), errno, w->part);
	if ((r = file_put_in_place(w, e)) < 0)
		return r;
	w->committed = true;
	return 0;
}

static void
file_writer_close(struct blob_writer *port)
{
	struct file_writer *w = CONTAINER_OF(port, struct file_writer, port);

	(void)close(w->fd);
	if (!w->committed && w->part[0] != '\0')
		(void)unlink(w->part);
	free(w);
}

static const struct blob_writer_ops file_writer_ops = {
	.write = file_writer_write,
	.patch = file_writer_patch,
	.commit = file_writer_commit,
	.close = file_writer_close,
};

/* Whether both are one file, under whatever names. */
static bool
file_is_source(struct blob_reader *in, const struct stat *there)
{
	const struct file_reader *r = CONTAINER_OF(in, struct file_reader, port);
	struct stat source;

	return fstat(r->fd, &source) == 0 && source.st_dev == there->st_dev &&
	       source.st_ino == there->st_ino;
}

static int
file_check_output(struct blob_reader *in, struct err *e)
{
	struct stat there;

	if (isatty(STDOUT_FILENO))
		return err_set(e, ERR_INVALID, "standard output is a terminal");
	if (in && fstat(STDOUT_FILENO, &there) == 0 && file_is_source(in, &there))
		return err_set(e, ERR_CONFLICT, "standard output is the file that is read");
	return 0;
}

int
file_blob_check(const char *path, struct blob_reader *in, bool replace, struct err *e)
{
	struct stat there;

	if (file_is_standard(path))
		return file_check_output(in, e);
	if (stat(path, &there) == 0) {
		if (in && file_is_source(in, &there))
			return err_set(e, ERR_CONFLICT, "%s is the file that is read", path);
		if (!S_ISREG(there.st_mode))
			return err_set(e, ERR_CONFLICT,
				       "%s: not a regular file (- is standard output)", path);
	}
	if (lstat(path, &there) == 0 && !replace)
		return err_set(e, ERR_CONFLICT, "%s exists already; --force replaces it", path);
	return 0;
}

/* A name of our own beside path, with the rights that a new file gets. */
static int
file_make_part(struct file_writer *w, const char *path, struct err *e)
{
	mode_t mask = umask(0);
	int r;

	(void)umask(mask);
	if ((r = str_copy(w->path, sizeof w->path, path, e)) < 0)
		return r;
	if (snprintf(w->part, sizeof w->part, "%s.part.XXXXXX", path) >= (int)sizeof w->part)
		return err_set(e, ERR_INVALID, "the path is too long");
	if ((w->fd = mkostemp(w->part, O_CLOEXEC)) < 0)
		return err_prefix(e, err_errno(e, spool_error_of(errno), errno, w->path),
				  "no file can be made beside OUT (- is standard output)");
	(void)fchmod(w->fd, 0666 & ~mask);
	return 0;
}

int
file_blob_create(const char *path, bool replace, struct blob_writer **ret, struct err *e)
{
	SCOPED_FREE struct file_writer *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "file writer");
	w->replaces = replace;
	r = file_is_standard(path) ? spool_open(&w->fd, e) : file_make_part(w, path, e);
	if (r < 0)
		return r;
	w->port.ops = &file_writer_ops;
	*ret = &TAKE(w)->port;
	return 0;
}
