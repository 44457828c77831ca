#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_password {
	struct password_hasher port;
	struct password_hasher *inner;
	struct faults *faults;
};

static struct faulty_password *
self_of(struct password_hasher *p)
{
	return CONTAINER_OF(p, struct faulty_password, port);
}

static int
faulty_hash(struct password_hasher *port, const char *text, size_t len,
	    struct password_encoded *ret, struct err *e)
{
	struct faulty_password *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct password_encoded got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, password_hash(s->inner, text, len, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_verify(struct password_hasher *port, const char *encoded, const char *text, size_t len,
	      struct err *e)
{
	struct faulty_password *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   password_verify(s->inner, encoded, text, len, e), e);
}

static int
faulty_burn(struct password_hasher *port, const char *text, size_t len, struct err *e)
{
	struct faulty_password *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, password_burn(s->inner, text, len, e), e);
}

static bool
faulty_is_current(struct password_hasher *port, const char *encoded)
{
	return password_is_current(self_of(port)->inner, encoded);
}

static void
faulty_close(struct password_hasher *port)
{
	struct faulty_password *s = self_of(port);

	password_hasher_close(s->inner);
	free(s);
}

static const struct password_hasher_ops ops = { .hash = faulty_hash,
						.verify = faulty_verify,
						.burn = faulty_burn,
						.is_current = faulty_is_current,
						.close = faulty_close };

struct password_hasher *
faulty_password_hasher(struct password_hasher *inner, struct faults *f)
{
	struct faulty_password *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_password){ { &ops }, inner, f };
	return &s->port;
}
