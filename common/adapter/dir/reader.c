/* Reading a blob: the file itself. */
#include "adapter/dir/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct dir_reader {
	struct blob_reader port;
	int fd;
	int64_t position; /* bytes */
};

static struct dir_reader *
dir_reader_of(struct blob_reader *r)
{
	return CONTAINER_OF(r, struct dir_reader, port);
}

static int
dir_reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct dir_reader *r = dir_reader_of(port);
	int64_t left = port->info.length - r->position;
	ssize_t n = 0;

	if ((int64_t)size > left)
		size = (size_t)left;
	if (size > 0)
		do
			n = pread(r->fd, to, size, r->position);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		return dir_err(e, errno, "read a blob");
	if (n == 0 && size > 0)
		return err_set(e, ERR_CORRUPT, "blob %s ends early", port->info.id.hex);
	r->position += n;
	port->fetched += n;
	*ret_got = (size_t)n;
	return 0;
}

static int
dir_reader_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	if (offset < 0 || offset > port->info.length)
		return err_set(e, ERR_INVALID, "seek outside the blob");
	dir_reader_of(port)->position = offset;
	return 0;
}

static void
dir_reader_close(struct blob_reader *port)
{
	struct dir_reader *r = dir_reader_of(port);

	(void)close(r->fd);
	free(r);
}

static const struct blob_reader_ops dir_reader_ops = {
	.read = dir_reader_read,
	.seek = dir_reader_seek,
	.close = dir_reader_close,
};

/* Opens the file and learns what it is; the descriptor is the caller's when 0 is returned. */
static int
dir_reader_open(const struct blob_dir *d, struct blob_info *info, int *ret_fd, struct err *e)
{
	struct dir_path blob = dir_path_of(d, &info->id, DIR_BLOB);
	struct dir_path meta = dir_path_of(d, &info->id, DIR_META);
	int fd = open(blob.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), r;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return dir_missing(d, e);
	if (fd < 0)
		return dir_err(e, errno, blob.text);
	if (fstat(fd, &st) < 0)
		r = dir_err(e, errno, blob.text);
	else if ((r = dir_meta_read(&meta, info, e)) == 0 &&
		 (!S_ISREG(st.st_mode) || st.st_size != info->length))
		r = err_set(e, ERR_CORRUPT, "%s: of another length than it was written", blob.text);
	if (r == ERR_CORRUPT && access(blob.text, F_OK) < 0 && errno == ENOENT)
		r = err_set(e, ERR_NOT_FOUND, "the blob has just gone");
	if (r < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return r;
}

int
dir_reader_new(const struct blob_dir *d, const struct blob_id *id, struct blob_reader **ret,
	       struct err *e)
{
	SCOPED_FREE struct dir_reader *reader = calloc(1, sizeof *reader);
	int r;

	if (!reader)
		return err_set(e, ERR_NO_MEMORY, "blob reader");
	reader->port.ops = &dir_reader_ops;
	reader->port.info.id = *id;
	reader->port.info.chunk_size = DIR_CHUNK;
	if ((r = dir_reader_open(d, &reader->port.info, &reader->fd, e)) < 0)
		return r;
	reader->port.file = &reader->fd;
	*ret = &TAKE(reader)->port;
	return 0;
}
