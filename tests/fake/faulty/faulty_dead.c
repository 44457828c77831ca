#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_dead {
	struct dead_letters port;
	struct dead_letters *inner;
	struct faults *faults;
};
struct visit {
	struct faults *faults;
	dead_visitor visitor;
	void *arg;
};

/* A message that does not come, or whose verdict is not carried out. */
static int
visit_one(void *arg, const struct dead_letter *letter, struct err *e)
{
	struct visit *v = arg;
	int call = fault_enter(v->faults), r = fault_before(v->faults, call, e);

	return r < 0 ? r : fault_after(v->faults, call, v->visitor(v->arg, letter, e), e);
}

static int
faulty_visit(struct dead_letters *port, const char *queue, size_t max, dead_visitor visitor,
	     void *arg, struct err *e)
{
	struct faulty_dead *d = CONTAINER_OF(port, struct faulty_dead, port);
	struct visit v = { d->faults, visitor, arg };
	int call = fault_enter(d->faults), r = fault_before(d->faults, call, e);

	if (r < 0)
		return r;
	return fault_after(d->faults, call,
			   dead_letters_visit(d->inner, queue, max, visit_one, &v, e), e);
}

static void
faulty_close(struct dead_letters *port)
{
	struct faulty_dead *d = CONTAINER_OF(port, struct faulty_dead, port);

	dead_letters_close(d->inner);
	free(d);
}

static const struct dead_letters_ops ops = { .visit = faulty_visit, .close = faulty_close };

struct dead_letters *
faulty_dead_letters(struct dead_letters *inner, struct faults *f)
{
	struct faulty_dead *d = faulty_alloc(sizeof *d);

	*d = (struct faulty_dead){ { &ops }, inner, f };
	return &d->port;
}
