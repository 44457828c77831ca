#include "fake/blob/blob_fake_private.h"

#include "base/clock.h"

static struct fake_part *
part_find(struct blob_fake *f, const struct blob_id *id)
{
	for (size_t i = 0; i < f->part_count; i++)
		if (blob_id_equal(&f->parts[i].id, id))
			return &f->parts[i];
	return NULL;
}

static struct fake_part *
part_make(struct blob_fake *f, const struct blob_id *id)
{
	if (f->part_count == FAKE_PARTS_MAX)
		return NULL;
	f->parts[f->part_count] = (struct fake_part){ .id = *id, .bytes = STR_MAX(FAKE_BLOB_MAX) };
	return &f->parts[f->part_count++];
}

int
blob_fake_own_part(struct blob_fake *f, const struct fake_writer *w, struct err *e)
{
	const struct fake_part *part = part_find(f, &w->port.id);

	if (!w->port.resumable || (part && part->writer == w->number))
		return 0;
	return err_set(e, ERR_CONFLICT, "another writer has taken over");
}

int
blob_fake_store_part(struct blob_fake *f, const struct fake_writer *w, int64_t length,
		     struct err *e)
{
	struct fake_part *part = part_find(f, &w->port.id);

	if ((size_t)length > part->bytes.len)
		str_append(&part->bytes, w->bytes.data + part->bytes.len,
			   (size_t)length - part->bytes.len);
	blob_fake_leave_chunks(f, &w->port.id,
			       ((int64_t)part->bytes.len + FAKE_CHUNK - 1) / FAKE_CHUNK,
			       now_unix_ms());
	return str_error(&part->bytes, e);
}

void
blob_fake_drop_part(struct blob_fake *f, const struct blob_id *id)
{
	struct fake_part *part = part_find(f, id);

	blob_fake_leave_chunks(f, id, 0, 0);
	if (!part)
		return;
	str_free(&part->bytes);
	*part = f->parts[--f->part_count];
}

int
blob_fake_take_part(struct blob_fake *f, const struct blob_id *id, struct fake_part **ret,
		    struct err *e)
{
	struct fake_part *part = part_find(f, id);

	if (blob_fake_find(f, id))
		return err_set(e, ERR_CONFLICT, "%s is a blob", id->hex);
	if (!part && blob_fake_left(f, id))
		return err_set(e, ERR_CONFLICT, "%s cannot be continued", id->hex);
	if (!part && !(part = part_make(f, id)))
		return err_set(e, ERR_UNAVAILABLE, "the fake blob store is full");
	part->writer = ++f->writers;
	*ret = part;
	return 0;
}
