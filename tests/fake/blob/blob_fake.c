#include "fake/blob/blob_fake_private.h"

#define BLOBS_MAX 4096

struct blob_fake *
blob_fake_enter(struct blob_store *s)
{
	struct blob_fake *f = CONTAINER_OF(s, struct blob_fake, port);

	pthread_mutex_lock(&f->lock);
	return f;
}

void
blob_fake_leave_p(struct blob_fake **f)
{
	pthread_mutex_unlock(&(*f)->lock);
}

int
blob_fake_refusal(struct blob_fake *f, struct err *e)
{
	f->calls++;
	if (f->broken_in > 0 && --f->broken_in == 0)
		return err_set(e, f->broken_once, "the fake blob store fails this call");
	if (f->broken)
		return err_set(e, f->broken, "the fake blob store is away");
	return 0;
}

struct fake_blob *
blob_fake_find(struct blob_fake *f, const struct blob_id *id)
{
	for (size_t i = 0; i < f->count; i++)
		if (blob_id_equal(&f->blobs[i].info.id, id))
			return &f->blobs[i];
	return NULL;
}

struct fake_blob *
blob_fake_find_output(struct blob_fake *f, const struct blob_id *video)
{
	for (size_t i = 0; !blob_id_is_none(video) && i < f->count; i++)
		if (blob_id_equal(&f->blobs[i].info.meta.video_fid, video))
			return &f->blobs[i];
	return NULL;
}

int
blob_fake_add(struct blob_fake *f, const struct blob_info *info, struct str *bytes, struct err *e)
{
	if (f->count == BLOBS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "the fake blob store is full");
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		struct fake_blob *more = realloc(f->blobs, room * sizeof *more);

		if (more == NULL)
			return err_set(e, ERR_NO_MEMORY, "blobs");
		f->blobs = more;
		f->room = room;
	}
	f->blobs[f->count++] = (struct fake_blob){ .info = *info, .bytes = *bytes };
	*bytes = STR_MAX(FAKE_BLOB_MAX);
	return 0;
}

static int
fake_open(struct blob_store *s, const struct blob_id *id, struct blob_reader **ret, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	struct fake_blob *blob = blob_fake_find(f, id);
	int r = blob_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (blob == NULL)
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
fake_find_output(struct blob_store *s, const struct blob_id *video, struct blob_id *ret,
		 struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	struct fake_blob *blob = blob_fake_find_output(f, video);
	int r = blob_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (blob == NULL)
		return err_set(e, ERR_NOT_FOUND, "no such blob");
	*ret = blob->info.id;
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
	if (blob == NULL)
		return 0;
	str_free(&blob->bytes);
	*blob = f->blobs[--f->count];
	return 0;
}

static int
fake_usage(struct blob_store *s, const char *owner, int64_t *ret_bytes, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	int r = blob_fake_refusal(f, e);
	int64_t bytes = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->blobs[i].info.meta.owner, owner) == 0)
			bytes += f->blobs[i].info.length;
	*ret_bytes = bytes;
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
	pthread_mutex_destroy(&f->lock);
	free(f->blobs);
	free(f);
}

static const struct blob_store_ops fake_ops = {
	.open = fake_open,
	.create = fake_create,
	.resume = blob_fake_resume,
	.find_output = fake_find_output,
	.remove = fake_remove,
	.usage = fake_usage,
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

	if (f == NULL)
		return err_set(e, ERR_NO_MEMORY, "blob store");
	f->port.ops = &fake_ops;
	pthread_mutex_init(&f->lock, NULL);
	*ret = &f->port;
	return 0;
}
