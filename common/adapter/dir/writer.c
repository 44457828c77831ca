/* Writing a blob: into <id>.part, which gets its name when all of it is on the disk. What is written
 * is sent to the disk as it comes, so that the commit has little left to wait for and a long upload
 * does not fill the machine's memory with pages to be written. */
#define _GNU_SOURCE /* sync_file_range */
#include "adapter/dir/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define BLOB_MODE 0440 /* write-once */
#define SEND_BYTES (8 << 20)

struct dir_writer {
	struct blob_writer port;
	struct blob_dir *store;
	struct blob_meta meta;
	int fd;
	int64_t sent; /* bytes whose way to the disk has begun */
	bool named;   /* the part's name is on the disk */
	bool committed;
	int failed; /* the first failure: only close is left then */
};

static struct dir_writer *
dir_writer_of(struct blob_writer *w)
{
	return CONTAINER_OF(w, struct dir_writer, port);
}

static int
writer_put(int fd, const void *data, size_t len, int64_t at, struct err *e)
{
	const char *from = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno != EINTR)
			return dir_err(e, errno, "write a blob");
		if (n > 0) {
			from += n;
			at += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void
writer_send(struct dir_writer *w)
{
	if (w->port.length - w->sent < SEND_BYTES)
		return;
	(void)sync_file_range(w->fd, w->sent, w->port.length - w->sent, SYNC_FILE_RANGE_WRITE);
	w->sent = w->port.length;
}

static int
dir_writer_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct dir_writer *w = dir_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if ((w->failed = writer_put(w->fd, data, len, port->length, e)) < 0)
		return w->failed;
	port->length += (int64_t)len;
	writer_send(w);
	return 0;
}

static int
dir_writer_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len,
		 struct err *e)
{
	return writer_put(dir_writer_of(port)->fd, data, len, offset, e);
}

static int
dir_writer_flush(struct blob_writer *port, struct err *e)
{
	struct dir_writer *w = dir_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if (fdatasync(w->fd) < 0)
		return w->failed = dir_err(e, errno, "store a part");
	if (!w->named && (w->failed = dir_shard_sync(w->store, &port->id, e)) < 0)
		return w->failed;
	w->named = true;
	return 0;
}

/* A name that cannot be put on the disk is taken back. */
static int
writer_publish(struct dir_writer *w, struct err *e)
{
	struct dir_path part = dir_path_of(w->store, &w->port.id, DIR_PART);
	struct dir_path blob = dir_path_of(w->store, &w->port.id, DIR_BLOB);
	int r;

	if ((r = dir_part_check(w->fd, &part, e)) < 0)
		return r;
	if (rename(part.text, blob.text) < 0)
		return errno == ENOENT ? err_set(e, ERR_UNAVAILABLE, "the blob was cleared away")
				       : dir_err(e, errno, blob.text);
	if ((r = dir_shard_sync(w->store, &w->port.id, e)) < 0)
		(void)rename(blob.text, part.text);
	else
		(void)fchmod(w->fd, BLOB_MODE);
	return r;
}

/* The metadata is written by who has the part: a writer whose part was cleared away must not touch
 * what another has begun since. */
static int
writer_finish(struct dir_writer *w, struct err *e)
{
	struct dir_path part = dir_path_of(w->store, &w->port.id, DIR_PART);
	struct dir_path meta = dir_path_of(w->store, &w->port.id, DIR_META);
	struct blob_info info = { .id = w->port.id,
				  .length = w->port.length,
				  .uploaded_ms = now_unix_ms(),
				  .meta = w->meta };
	int r;

	if ((r = dir_part_check(w->fd, &part, e)) < 0 || (r = dir_meta_write(&meta, &info, e)) < 0)
		return r;
	if (fsync(w->fd) < 0)
		return dir_err(e, errno, "store a blob");
	return writer_publish(w, e);
}

static int
dir_writer_commit(struct blob_writer *port, struct err *e)
{
	struct dir_writer *w = dir_writer_of(port);

	if (w->failed)
		return err_set(e, w->failed, "the blob's writer failed before");
	if ((w->failed = writer_finish(w, e)) == 0)
		w->committed = true;
	return w->failed;
}

/* An upload that goes on keeps what it has. */
static void
dir_writer_close(struct blob_writer *port)
{
	static const enum dir_file left[] = { DIR_PART, DIR_META };
	struct dir_writer *w = dir_writer_of(port);
	bool removes = !w->committed && !port->resumable;

	for (size_t i = 0; removes && i < ARRAY_LEN(left); i++) {
		struct dir_path path = dir_path_of(w->store, &port->id, left[i]);

		(void)dir_unlink(&path, NULL);
	}
	(void)close(w->fd);
	free(w);
}

static const struct blob_writer_ops dir_writer_ops = {
	.write = dir_writer_write,
	.patch = dir_writer_patch,
	.flush = dir_writer_flush,
	.commit = dir_writer_commit,
	.close = dir_writer_close,
};

int
dir_writer_new(struct blob_dir *d, const struct blob_id *id, const struct blob_meta *meta,
	       enum dir_part kind, struct blob_writer **ret, struct err *e)
{
	SCOPED_FREE struct dir_writer *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "blob writer");
	w->port.ops = &dir_writer_ops;
	w->port.id = *id;
	w->port.resumable = kind == DIR_PART_ANY;
	w->store = d;
	w->meta = *meta;
	if ((r = dir_part_open(d, id, kind, &w->fd, &w->port.length, e)) < 0)
		return r;
	w->sent = w->port.length;
	*ret = &TAKE(w)->port;
	return 0;
}
