#include "fake/blob/blob_fake_private.h"

static int
refused(struct blob_fake *f, const struct blob_id *id, struct err *e)
{
	int r = blob_fake_refusal(f, e);

	if (r == 0 && blob_fake_find(f, id))
		return err_set(e, ERR_CONFLICT, "%s is a blob", id->hex);
	return r;
}

int
blob_fake_leftover(struct blob_store *s, const struct blob_id *id, struct blob_leftover *ret,
		   struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	const struct fake_left *left = blob_fake_left(f, id);
	int r = refused(f, id, e);

	if (r < 0)
		return r;
	if (!left)
		return err_set(e, ERR_NOT_FOUND, "no chunks");
	*ret = left->is;
	return 0;
}

int
blob_fake_clear(struct blob_store *s, const struct blob_id *id, struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	int r = refused(f, id, e);

	if (r == 0)
		blob_fake_drop_part(f, id);
	return r;
}

static void
consider(const struct blob_id *id, const struct blob_id *after, struct blob_id *best)
{
	if (strcmp(id->hex, after->hex) > 0 &&
	    (blob_id_is_none(best) || strcmp(id->hex, best->hex) < 0))
		*best = *id;
}

int
blob_fake_next_id(struct blob_store *s, const struct blob_id *after, struct blob_id *ret,
		  struct err *e)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);
	int r = blob_fake_refusal(f, e);
	struct blob_id best = { "" };

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->left_count; i++)
		consider(&f->left[i].id, after, &best);
	for (size_t i = 0; i < f->count; i++)
		if (f->blobs[i].info.length > 0)
			consider(&f->blobs[i].info.id, after, &best);
	if (blob_id_is_none(&best))
		return err_set(e, ERR_NOT_FOUND, "no more chunks");
	*ret = best;
	return 0;
}

void
blob_fake_orphan(struct blob_store *s, const struct blob_id *id, int64_t chunks, int64_t newest_ms)
{
	SCOPED(blob_fake_leave_p) struct blob_fake *f = blob_fake_enter(s);

	blob_fake_leave_chunks(f, id, chunks, newest_ms);
}
