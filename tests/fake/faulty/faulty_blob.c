#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_blob {
	struct blob_store port;
	struct blob_store *inner;
	struct faults *faults;
};
struct faulty_reader {
	struct blob_reader port;
	struct blob_reader *inner;
	struct faults *faults;
};
struct faulty_writer {
	struct blob_writer port;
	struct blob_writer *inner;
	struct faults *faults;
};

static struct faulty_blob *
store_of(struct blob_store *s)
{
	return CONTAINER_OF(s, struct faulty_blob, port);
}

static struct faulty_reader *
reader_of(struct blob_reader *r)
{
	return CONTAINER_OF(r, struct faulty_reader, port);
}

static struct faulty_writer *
writer_of(struct blob_writer *w)
{
	return CONTAINER_OF(w, struct faulty_writer, port);
}

static int
reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct faulty_reader *r = reader_of(port);
	int call = fault_enter(r->faults), rc = fault_before(r->faults, call, e);

	if (rc < 0)
		return rc;
	return fault_after(r->faults, call, blob_read(r->inner, to, size, ret_got, e), e);
}

static int
reader_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	struct faulty_reader *r = reader_of(port);
	int call = fault_enter(r->faults), rc = fault_before(r->faults, call, e);

	return rc < 0 ? rc : fault_after(r->faults, call, blob_seek(r->inner, offset, e), e);
}

static void
reader_close(struct blob_reader *port)
{
	struct faulty_reader *r = reader_of(port);

	blob_reader_close(r->inner);
	free(r);
}

static const struct blob_reader_ops reader_ops = { reader_read, reader_seek, reader_close };

static int
writer_write(struct blob_writer *port, const void *data, size_t len, struct err *e)
{
	struct faulty_writer *w = writer_of(port);
	int call = fault_enter(w->faults), r = fault_before(w->faults, call, e);

	if (r < 0)
		return r;
	w->inner->held.from = port->held.from;
	w->inner->held.to = port->held.to;
	r = fault_after(w->faults, call, blob_write(w->inner, data, len, e), e);
	port->length = w->inner->length;
	return r;
}

static int
writer_patch(struct blob_writer *port, int64_t offset, const void *data, size_t len, struct err *e)
{
	struct faulty_writer *w = writer_of(port);
	int call = fault_enter(w->faults), r = fault_before(w->faults, call, e);

	if (r < 0)
		return r;
	return fault_after(w->faults, call, blob_patch(w->inner, offset, data, len, e), e);
}

static int
writer_flush(struct blob_writer *port, struct err *e)
{
	struct faulty_writer *w = writer_of(port);
	int call = fault_enter(w->faults), r = fault_before(w->faults, call, e);

	return r < 0 ? r : fault_after(w->faults, call, blob_flush(w->inner, e), e);
}

static int
writer_commit(struct blob_writer *port, struct err *e)
{
	struct faulty_writer *w = writer_of(port);
	int call = fault_enter(w->faults), r = fault_before(w->faults, call, e);

	return r < 0 ? r : fault_after(w->faults, call, blob_commit(w->inner, e), e);
}

static void
writer_close(struct blob_writer *port)
{
	struct faulty_writer *w = writer_of(port);

	blob_writer_close(w->inner);
	free(w);
}

static const struct blob_writer_ops writer_ops = { writer_write, writer_patch, writer_flush,
						   writer_commit, writer_close };

/* Takes the inner one. */
static struct blob_writer *
writer_around(struct blob_writer *inner, struct faults *faults)
{
	struct faulty_writer *made = faulty_alloc(sizeof *made);

	made->port = *inner;
	made->port.ops = &writer_ops;
	made->inner = inner;
	made->faults = faults;
	return &made->port;
}

static int
store_open(struct blob_store *port, const struct blob_id *id, struct blob_reader **ret,
	   struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	SCOPED(blob_reader_close_p) struct blob_reader *inner = NULL;
	struct faulty_reader *made;

	if (r < 0 || (r = fault_after(s->faults, call, blob_open(s->inner, id, &inner, e), e)) < 0)
		return r;
	made = faulty_alloc(sizeof *made);
	made->port = (struct blob_reader){ .ops = &reader_ops, .info = inner->info };
	made->inner = TAKE(inner);
	made->faults = s->faults;
	*ret = &made->port;
	return 0;
}

static int
store_create(struct blob_store *port, const struct blob_id *id, const struct blob_meta *meta,
	     struct blob_writer **ret, struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	SCOPED(blob_writer_close_p) struct blob_writer *inner = NULL;

	if (r < 0)
		return r;
	r = fault_after(s->faults, call, blob_create(s->inner, id, meta, &inner, e), e);
	if (r < 0)
		return r;
	*ret = writer_around(TAKE(inner), s->faults);
	return 0;
}

static int
store_resume(struct blob_store *port, const struct blob_id *id, const struct blob_meta *meta,
	     struct blob_writer **ret, struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	SCOPED(blob_writer_close_p) struct blob_writer *inner = NULL;

	if (r < 0)
		return r;
	r = fault_after(s->faults, call, blob_resume(s->inner, id, meta, &inner, e), e);
	if (r < 0)
		return r;
	*ret = writer_around(TAKE(inner), s->faults);
	return 0;
}

static int
store_remove(struct blob_store *port, const struct blob_id *id, struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, blob_remove(s->inner, id, e), e);
}

static int
store_leftover(struct blob_store *port, const struct blob_id *id, struct blob_leftover *ret,
	       struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct blob_leftover left;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, blob_leftover(s->inner, id, &left, e), e)) < 0)
		return r;
	*ret = left;
	return 0;
}

static int
store_clear(struct blob_store *port, const struct blob_id *id, struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, blob_clear(s->inner, id, e), e);
}

static int
store_next_id(struct blob_store *port, const struct blob_id *after, struct blob_id *ret,
	      struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct blob_id found;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, blob_next_id(s->inner, after, &found, e), e)) < 0)
		return r;
	*ret = found;
	return 0;
}

static int
store_ping(struct blob_store *port, struct err *e)
{
	struct faulty_blob *s = store_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, blob_store_ping(s->inner, e), e);
}

static void
store_close(struct blob_store *port)
{
	struct faulty_blob *s = store_of(port);

	blob_store_close(s->inner);
	free(s);
}

static const struct blob_store_ops store_ops = {
	.open = store_open,
	.create = store_create,
	.resume = store_resume,
	.remove = store_remove,
	.leftover = store_leftover,
	.clear = store_clear,
	.next_id = store_next_id,
	.ping = store_ping,
	.close = store_close,
};

struct blob_store *
faulty_blob_store(struct blob_store *inner, struct faults *f)
{
	struct faulty_blob *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_blob){ { &store_ops }, inner, f };
	return &s->port;
}
