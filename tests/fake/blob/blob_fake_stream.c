#include "fake/blob/blob_fake_private.h"

#include "base/clock.h"

struct fake_reader {
	struct blob_reader port;
	struct blob_store *store;
	int64_t position;
	uint8_t lent[10000];
};

static int
fake_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct fake_reader *r = CONTAINER_OF(port, struct fake_reader, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(r->store);
	struct fake_blob *blob = blob_fake_find(f, &port->info.id);
	int rc = blob_fake_refusal(f, e);
	size_t left;

	if (rc < 0)
		return rc;
	if (!blob)
		return err_set(e, ERR_CORRUPT, "blob %s was removed", port->info.id.hex);
	left = blob->bytes.len - (size_t)r->position;
	size = size < left ? size : left;
	if (size > 0)
		memcpy(to, blob->bytes.data + r->position, size);
	r->position += (int64_t)size;
	port->fetched += (int64_t)size;
	*ret_got = size;
	return 0;
}

static int
fake_lend(struct blob_reader *port, const void **ret_at, size_t *ret_got, struct err *e)
{
	struct fake_reader *r = CONTAINER_OF(port, struct fake_reader, port);
	int rc = fake_read(port, r->lent, sizeof r->lent, ret_got, e);

	if (rc == 0)
		*ret_at = r->lent;
	return rc;
}

static int
fake_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	struct fake_reader *r = CONTAINER_OF(port, struct fake_reader, port);

	if (offset < 0 || offset > port->info.length)
		return err_set(e, ERR_INVALID, "seek outside the blob");
	r->position = offset;
	return 0;
}

static void
fake_reader_close(struct blob_reader *port)
{
	free(CONTAINER_OF(port, struct fake_reader, port));
}

static const struct blob_reader_ops reader_ops = {
	.read = fake_read,
	.seek = fake_seek,
	.close = fake_reader_close,
};

int
blob_fake_reader_new(struct blob_store *s, const struct blob_info *info, struct blob_reader **ret,
		     struct err *e)
{
	struct fake_reader *r = calloc(1, sizeof *r);

	if (!r)
		return err_set(e, ERR_NO_MEMORY, "blob reader");
	r->port.ops = &reader_ops;
	r->port.lend = fake_lend;
	r->port.info = *info;
	r->store = s;
	*ret = &r->port;
	return 0;
}

static int
fake_writer_refusal(struct blob_fake *f, struct blob_writer *port, struct err *e)
{
	int r = blob_fake_refusal(f, e);

	port->unsettled |= r == ERR_TIMEOUT;
	return r;
}

static int
fake_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct fake_writer *w = CONTAINER_OF(port, struct fake_writer, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(w->store);
	int r = fake_writer_refusal(f, port, e);

	if (r < 0 || (r = blob_fake_own_part(f, w, e)) < 0)
		return r;
	if (len > 0)
		str_append(&w->bytes, data, len);
	if ((r = str_error(&w->bytes, e)) < 0)
		return r;
	port->length += (int64_t)len;
	if (port->resumable)
		return blob_fake_store_part(f, w, port->length / FAKE_CHUNK * FAKE_CHUNK, e);
	if ((w->chunks == 0 || blob_fake_left(f, &port->id)) &&
	    port->length / FAKE_CHUNK > w->chunks) {
		w->chunks = port->length / FAKE_CHUNK;
		blob_fake_leave_chunks(f, &port->id, w->chunks, now_unix_ms());
	}
	return 0;
}

static int
fake_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	struct fake_writer *w = CONTAINER_OF(port, struct fake_writer, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(w->store);
	int r = blob_fake_refusal(f, e);

	if (r == 0)
		memcpy(w->bytes.data + offset, data, len);
	return r;
}

static int
fake_flush(struct blob_writer *port, struct err *e)
{
	struct fake_writer *w = CONTAINER_OF(port, struct fake_writer, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(w->store);
	int r = blob_fake_refusal(f, e);

	if (r < 0 || (r = blob_fake_own_part(f, w, e)) < 0)
		return r;
	return blob_fake_store_part(f, w, port->length, e);
}

static void
legible(char *text)
{
	if (utf8_valid(text, strlen(text)))
		return;
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
}

static int
fake_commit(struct blob_writer *port, struct err *e)
{
	struct fake_writer *w = CONTAINER_OF(port, struct fake_writer, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(w->store);
	struct blob_info info = { .id = port->id,
				  .length = port->length,
				  .chunk_size = FAKE_CHUNK,
				  .uploaded_ms = now_unix_ms(),
				  .meta = w->meta };
	int r = fake_writer_refusal(f, port, e);

	if (r < 0 || (r = blob_fake_own_part(f, w, e)) < 0)
		return r;
	if (w->chunks > 0 && !blob_fake_left(f, &port->id))
		return err_set(e, ERR_UNAVAILABLE, "the chunks are not all there");
	legible(info.meta.filename);
	legible(info.meta.owner);
	legible(info.meta.content_type);
	r = blob_fake_add(f, &info, &w->bytes, e);
	w->committed = r == 0;
	if (r == 0)
		blob_fake_drop_part(f, &port->id);
	return r;
}

static void
fake_writer_close(struct blob_writer *port)
{
	struct fake_writer *w = CONTAINER_OF(port, struct fake_writer, port);
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(w->store);

	f->aborted += !w->committed;
	if (!w->committed && !port->resumable)
		blob_fake_leave_chunks(f, &port->id, 0, 0);
	str_free(&w->bytes);
	free(w);
}

static const struct blob_writer_ops writer_ops = {
	.write = fake_write,
	.patch = fake_patch,
	.flush = fake_flush,
	.commit = fake_commit,
	.close = fake_writer_close,
};

int
blob_fake_writer_new(struct blob_store *s, const struct blob_id *id, const struct blob_meta *meta,
		     struct blob_writer **ret, struct err *e)
{
	struct fake_writer *w = calloc(1, sizeof *w);

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "blob writer");
	w->port.ops = &writer_ops;
	w->port.id = *id;
	w->store = s;
	w->meta = *meta;
	w->bytes = STR_MAX(FAKE_BLOB_MAX);
	*ret = &w->port;
	return 0;
}
