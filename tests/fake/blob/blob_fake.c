#include "fake/blob/blob_fake_private.h"

static int
fake_open(struct blob_store *s, const struct blob_id *id, struct blob_reader **ret, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	struct fake_blob *blob = blob_fake_find(f, id);
	int r = blob_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!blob)
		return err_set(e, ERR_NOT_FOUND, "no such blob");
	return blob_fake_reader_new(s, &blob->info, ret, e);
}

static int
fake_create(struct blob_store *s, const struct blob_id *id, const struct blob_meta *meta,
	    struct blob_writer **ret, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	int r = blob_fake_refusal(f, e);

	return r < 0 ? r : blob_fake_writer_new(s, id, meta, ret, e);
}

static int
fake_resume(struct blob_store *s, const struct blob_id *id, const struct blob_meta *meta,
	    struct blob_writer **ret, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	struct blob_writer *port = NULL;
	struct fake_part *part = NULL;
	struct fake_writer *w;
	int r = blob_fake_refusal(f, e);

	if (r < 0 || (r = blob_fake_take_part(f, id, &part, e)) < 0 ||
	    (r = blob_fake_writer_new(s, id, meta, &port, e)) < 0)
		return r;
	w = CONTAINER_OF(port, struct fake_writer, port);
	w->number = part->writer;
	if (part->bytes.len > 0)
		str_append(&w->bytes, part->bytes.data, part->bytes.len);
	port->resumable = true;
	port->length = (int64_t)part->bytes.len;
	*ret = port;
	return 0;
}

static int
fake_remove(struct blob_store *s, const struct blob_id *id, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	struct fake_blob *blob = blob_fake_find(f, id);
	int r = blob_fake_refusal(f, e);

	if (r < 0)
		return r;
	blob_fake_drop_part(f, id);
	if (!blob)
		return 0;
	str_free(&blob->bytes);
	*blob = f->blobs[--f->count];
	return 0;
}

static int
fake_ping(struct blob_store *s, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	return blob_fake_refusal(f, e);
}

static void
fake_close(struct blob_store *s)
{
	struct blob_fake *f = CONTAINER_OF(s, struct blob_fake, port);

	for (size_t i = 0; i < f->count; i++)
		str_free(&f->blobs[i].bytes);
	for (size_t i = 0; i < f->part_count; i++)
		str_free(&f->parts[i].bytes);
	(void)pthread_mutex_destroy(&f->lock);
	free(f->blobs);
	free(f);
}

static const struct blob_store_ops fake_ops = {
	.open = fake_open,
	.create = fake_create,
	.resume = fake_resume,
	.remove = fake_remove,
	.leftover = blob_fake_leftover,
	.clear = blob_fake_clear,
	.next_id = blob_fake_next_id,
	.ping = fake_ping,
	.close = fake_close,
};

void
blob_fake_break(struct blob_store *s, int code)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	f->broken = code;
}

void
blob_fake_break_nth(struct blob_store *s, int n, int code)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	f->broken_in = n;
	f->broken_once = code;
}

int
blob_fake_calls(struct blob_store *s)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	return f->calls;
}

size_t
blob_fake_count(struct blob_store *s)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	return f->count;
}

size_t
blob_fake_aborted(struct blob_store *s)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	return f->aborted;
}

int
blob_fake_new(struct blob_store **ret, struct err *e)
{
	struct blob_fake *f = calloc(1, sizeof *f);

	if (!f)
		return err_set(e, ERR_NO_MEMORY, "blob store");
	f->port.ops = &fake_ops;
	(void)pthread_mutex_init(&f->lock, NULL);
	*ret = &f->port;
	return 0;
}
