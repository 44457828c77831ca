#include "fake/bytes_blob.h"

#include <string.h>

#define OUTPUT_MAX ((size_t)256 << 20)

static int
bytes_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct bytes_reader *r = CONTAINER_OF(port, struct bytes_reader, port);
	size_t left = r->len - r->position, got = size < left ? size : left;

	if (r->fail)
		return err_set(e, r->fail, "the reader fails as ordered");
	if (got > 0)
		memcpy(to, r->bytes + r->position, got);
	r->position += got;
	port->fetched += (int64_t)got;
	if ((int64_t)r->position > r->furthest)
		r->furthest = (int64_t)r->position;
	*ret_got = got;
	return 0;
}

static int
bytes_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	struct bytes_reader *r = CONTAINER_OF(port, struct bytes_reader, port);

	if (offset < 0 || (size_t)offset > r->len)
		return err_set(e, ERR_INVALID, "seek outside");
	r->position = (size_t)offset;
	return 0;
}

static void
bytes_reader_close(struct blob_reader *port)
{
	(void)port;
}

static int
bytes_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct bytes_writer *w = CONTAINER_OF(port, struct bytes_writer, port);

	if (w->fail)
		return err_set(e, w->fail, "the writer fails as ordered");
	str_append(&w->bytes, data, len);
	w->port.length += (int64_t)len;
	return str_error(&w->bytes, e);
}

static int
bytes_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	struct bytes_writer *w = CONTAINER_OF(port, struct bytes_writer, port);

	(void)e;
	memcpy(w->bytes.data + offset, data, len);
	return 0;
}

static int
bytes_commit(struct blob_writer *port, struct err *e)
{
	(void)port;
	return err_set(e, ERR_INTERNAL, "an encoder does not commit");
}

static void
bytes_writer_close(struct blob_writer *port)
{
	(void)port;
}

static const struct blob_reader_ops reader_ops = { bytes_read, bytes_seek, bytes_reader_close };
static const struct blob_writer_ops writer_ops = {
	.write = bytes_write,
	.patch = bytes_patch,
	.commit = bytes_commit,
	.close = bytes_writer_close,
};

struct bytes_reader
bytes_reader_over(const void *bytes, size_t len)
{
	return (struct bytes_reader){
		.port = { .ops = &reader_ops, .info = { .length = (int64_t)len } },
		.bytes = bytes,
		.len = len,
	};
}

struct bytes_writer
bytes_writer_new(void)
{
	return (struct bytes_writer){ .port = { .ops = &writer_ops },
				      .bytes = STR_MAX(OUTPUT_MAX) };
}
