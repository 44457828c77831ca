#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_token {
	struct token_service port;
	struct token_service *inner;
	struct faults *faults;
};

static struct faulty_token *
self_of(struct token_service *p)
{
	return CONTAINER_OF(p, struct faulty_token, port);
}

static int
faulty_sign(struct token_service *port, const struct claims *claims, struct str *ret, struct err *e)
{
	struct faulty_token *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, token_sign(s->inner, claims, ret, e), e);
}

static int
faulty_verify(struct token_service *port, const char *token, struct claims *ret, struct err *e)
{
	struct faulty_token *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, token_verify(s->inner, token, ret, e), e);
}

static void
faulty_close(struct token_service *port)
{
	struct faulty_token *s = self_of(port);

	token_service_close(s->inner);
	free(s);
}

static const struct token_service_ops ops = { .sign = faulty_sign,
					      .verify = faulty_verify,
					      .close = faulty_close };

struct token_service *
faulty_token_service(struct token_service *inner, struct faults *f)
{
	struct faulty_token *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_token){ { &ops }, inner, f };
	return &s->port;
}
