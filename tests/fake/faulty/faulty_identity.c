#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_identity_port {
	struct identity port;
	struct identity *inner;
	struct faults *faults;
};

static struct faulty_identity_port *
self_of(struct identity *p)
{
	return CONTAINER_OF(p, struct faulty_identity_port, port);
}

static int
faulty_login(struct identity *port, const char *authorization, const struct identity_caller *caller,
	     struct identity_reply *ret, struct err *e)
{
	struct faulty_identity_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   identity_login(s->inner, authorization, caller, ret, e), e);
}

static int
faulty_validate(struct identity *port, const char *authorization,
		const struct identity_caller *caller, struct identity_reply *ret, struct err *e)
{
	struct faulty_identity_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   identity_validate(s->inner, authorization, caller, ret, e), e);
}

static int
faulty_ping(struct identity *port, struct err *e)
{
	struct faulty_identity_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, identity_ping(s->inner, e), e);
}

static void
faulty_close(struct identity *port)
{
	struct faulty_identity_port *s = self_of(port);

	identity_close(s->inner);
	free(s);
}

static const struct identity_ops ops = { .login = faulty_login,
					 .validate = faulty_validate,
					 .ping = faulty_ping,
					 .close = faulty_close };

struct identity *
faulty_identity(struct identity *inner, struct faults *f)
{
	struct faulty_identity_port *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_identity_port){ { &ops }, inner, f };
	return &s->port;
}
