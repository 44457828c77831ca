#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_user {
	struct user_store port;
	struct user_store *inner;
	struct faults *faults;
};

static struct faulty_user *
self_of(struct user_store *p)
{
	return CONTAINER_OF(p, struct faulty_user, port);
}

static int
faulty_find(struct user_store *port, const char *email, struct user *ret, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct user got;

	if (r < 0 || (r = fault_after(s->faults, call, user_find(s->inner, email, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_add(struct user_store *port, const struct user *user, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, user_add(s->inner, user, e), e);
}

static int
faulty_set_password(struct user_store *port, int64_t id, const char *encoded,
		    enum password_scheme scheme, const char *old_encoded, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   user_set_password(s->inner, id, encoded, scheme, old_encoded, e),
				   e);
}

static int
faulty_set_disabled(struct user_store *port, const char *email, bool disabled, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, user_set_disabled(s->inner, email, disabled, e),
				   e);
}

static int
faulty_revoke_tokens(struct user_store *port, const char *email, int64_t before_s, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   user_revoke_tokens(s->inner, email, before_s, e), e);
}

static int
faulty_remove(struct user_store *port, const char *email, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, user_remove(s->inner, email, e), e);
}

static int
faulty_each(struct user_store *port, user_visit visit, void *arg, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, user_each(s->inner, visit, arg, e), e);
}

static int
faulty_each_restricted(struct user_store *port, user_visit visit, void *arg, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, user_each_restricted(s->inner, visit, arg, e),
				   e);
}

static int
faulty_ping(struct user_store *port, struct err *e)
{
	struct faulty_user *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, user_store_ping(s->inner, e), e);
}

static void
faulty_close(struct user_store *port)
{
	struct faulty_user *s = self_of(port);

	user_store_close(s->inner);
	free(s);
}

static const struct user_store_ops ops = {
	.find = faulty_find,
	.add = faulty_add,
	.set_password = faulty_set_password,
	.set_disabled = faulty_set_disabled,
	.revoke_tokens = faulty_revoke_tokens,
	.remove = faulty_remove,
	.each = faulty_each,
	.each_restricted = faulty_each_restricted,
	.ping = faulty_ping,
	.close = faulty_close,
};

struct user_store *
faulty_user_store(struct user_store *inner, struct faults *f)
{
	struct faulty_user *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_user){ { &ops }, inner, f };
	return &s->port;
}
