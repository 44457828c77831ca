#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_publisher_port {
	struct publisher port;
	struct publisher *inner;
	struct faults *faults;
};

static struct faulty_publisher_port *
self_of(struct publisher *p)
{
	return CONTAINER_OF(p, struct faulty_publisher_port, port);
}

static int
faulty_publish(struct publisher *port, const struct message *message, struct err *e)
{
	struct faulty_publisher_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, queue_publish(s->inner, message, e), e);
}

static int
faulty_ping(struct publisher *port, struct err *e)
{
	struct faulty_publisher_port *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, publisher_ping(s->inner, e), e);
}

static void
faulty_close(struct publisher *port)
{
	struct faulty_publisher_port *s = self_of(port);

	publisher_close(s->inner);
	free(s);
}

static const struct publisher_ops ops = { .publish = faulty_publish,
					  .ping = faulty_ping,
					  .close = faulty_close };

struct publisher *
faulty_publisher(struct publisher *inner, struct faults *f)
{
	struct faulty_publisher_port *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_publisher_port){ { &ops }, inner, f };
	return &s->port;
}
