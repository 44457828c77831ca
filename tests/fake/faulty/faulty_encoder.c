#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_encoder_port {
	struct encoder port;
	struct encoder *inner;
	struct faults *faults;
};

static struct faulty_encoder_port *
self_of(struct encoder *p)
{
	return CONTAINER_OF(p, struct faulty_encoder_port, port);
}

static int
faulty_encode(struct encoder *port, const struct encode_order *order, struct encode_report *ret,
	      struct job_error *ret_why, struct err *e)
{
	struct faulty_encoder_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct encode_report got;

	if (r < 0 || (r = fault_after(s->faults, call,
				      encoder_encode(s->inner, order, &got, ret_why, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static void
faulty_close(struct encoder *port)
{
	struct faulty_encoder_port *s = self_of(port);

	encoder_close(s->inner);
	free(s);
}

static const struct encoder_ops ops = { .encode = faulty_encode, .close = faulty_close };

struct encoder *
faulty_encoder(struct encoder *inner, struct faults *f)
{
	struct faulty_encoder_port *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_encoder_port){ { &ops }, inner, f };
	return &s->port;
}
