#include "fake/blob/blob_fake_private.h"

#define BLOBS_MAX 4096

struct blob_fake *
blob_fake_enter(struct blob_store *s)
{
	struct blob_fake *f = CONTAINER_OF(s, struct blob_fake, port);

	(void)pthread_mutex_lock(&f->lock);
	return f;
}

void
blob_fake_leave_p(struct blob_fake **f)
{
	(void)pthread_mutex_unlock(&(*f)->lock);
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

int
blob_fake_add(struct blob_fake *f, const struct blob_info *info, struct str *bytes, struct err *e)
{
	if (f->count == BLOBS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "the fake blob store is full");
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		struct fake_blob *more = realloc(f->blobs, room * sizeof *more);

		if (!more)
			return err_set(e, ERR_NO_MEMORY, "blobs");
		f->blobs = more;
		f->room = room;
	}
	f->blobs[f->count++] = (struct fake_blob){ .info = *info, .bytes = *bytes };
	*bytes = STR_MAX(FAKE_BLOB_MAX);
	return 0;
}

struct fake_left *
blob_fake_left(struct blob_fake *f, const struct blob_id *id)
{
	for (size_t i = 0; i < f->left_count; i++)
		if (blob_id_equal(&f->left[i].id, id))
			return &f->left[i];
	return NULL;
}

void
blob_fake_leave_chunks(struct blob_fake *f, const struct blob_id *id, int64_t chunks,
		       int64_t newest_ms)
{
	struct fake_left *left = blob_fake_left(f, id);

	if (chunks == 0) {
		if (left)
			*left = f->left[--f->left_count];
		return;
	}
	if (!left && f->left_count < FAKE_LEFT_MAX)
		left = &f->left[f->left_count++];
	if (left)
		*left = (struct fake_left){ *id, { chunks, newest_ms } };
}
