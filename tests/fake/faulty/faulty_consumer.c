#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_consumer_port {
	struct consumer port;
	struct consumer *inner;
	struct queue_broker *broker;
	struct faults *faults;
};

static struct faulty_consumer_port *
self_of(struct consumer *p)
{
	return CONTAINER_OF(p, struct faulty_consumer_port, port);
}

static int
before(struct faulty_consumer_port *c, int *ret_call, struct err *e)
{
	int r;

	*ret_call = fault_enter(c->faults);
	if ((r = fault_before(c->faults, *ret_call, e)) < 0)
		queue_broker_disconnect(c->broker);
	return r;
}

static int
after(struct faulty_consumer_port *c, int call, int r, struct err *e)
{
	int told = fault_after(c->faults, call, r, e);

	if (told != r)
		queue_broker_disconnect(c->broker);
	return told;
}

/* A lost connection is no error of next: what was on its way comes again. */
static int
faulty_next(struct consumer *port, int timeout_ms, struct queue_delivery *ret, struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	struct queue_delivery got;
	int call, r;

	if (before(c, &call, NULL) < 0)
		return QUEUE_IDLE;
	r = queue_next(c->inner, timeout_ms, &got, e);
	if (after(c, call, r, NULL) != r) {
		if (r == 0)
			queue_delivery_free(&got);
		return QUEUE_IDLE;
	}
	if (r == 0)
		*ret = got;
	return r;
}

static int
faulty_ack(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	int call, r = before(c, &call, e);

	return r < 0 ? r : after(c, call, queue_ack(c->inner, d, e), e);
}

static int
faulty_requeue(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	int call, r = before(c, &call, e);

	return r < 0 ? r : after(c, call, queue_requeue(c->inner, d, e), e);
}

static int
faulty_bury(struct consumer *port, const struct queue_delivery *d, const char *reason,
	    struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	int call, r = before(c, &call, e);

	return r < 0 ? r : after(c, call, queue_bury(c->inner, d, reason, e), e);
}

static int
faulty_pause(struct consumer *port, bool paused, struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	int call, r = before(c, &call, e);

	return r < 0 ? r : after(c, call, queue_set_paused(c->inner, paused, e), e);
}

static int
faulty_ping(struct consumer *port, struct err *e)
{
	struct faulty_consumer_port *c = self_of(port);
	int call, r = before(c, &call, e);

	return r < 0 ? r : after(c, call, consumer_ping(c->inner, e), e);
}

static void
faulty_close(struct consumer *port)
{
	struct faulty_consumer_port *c = self_of(port);

	consumer_close(c->inner);
	free(c);
}

static const struct consumer_ops ops = { faulty_next,  faulty_ack,  faulty_requeue, faulty_bury,
					 faulty_pause, faulty_ping, faulty_close };

struct consumer *
faulty_consumer(struct consumer *inner, struct queue_broker *broker, struct faults *f)
{
	struct faulty_consumer_port *c = faulty_alloc(sizeof *c);

	*c = (struct faulty_consumer_port){ { &ops }, inner, broker, f };
	return &c->port;
}
