#include "fake/faulty/faulty.h"

#include <stdlib.h>

static bool
fails(const struct faults *f, int call, enum fault_moment moment)
{
	return f->moment == moment && call >= f->first && call <= f->last;
}

int
fault_enter(struct faults *f)
{
	return atomic_fetch_add(&f->calls, 1) + 1;
}

int
fault_before(const struct faults *f, int call, struct err *e)
{
	return fails(f, call, FAULT_BEFORE) ? err_set(e, f->code, "call %d fails", call) : 0;
}

int
fault_after(const struct faults *f, int call, int r, struct err *e)
{
	if (!fails(f, call, FAULT_AFTER))
		return r;
	return err_set(e, f->code, "the answer of call %d is lost", call);
}

void *
faulty_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort();
	return p;
}
