#include "fake/queue/queue_fake_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/str.h"
#include "base/wait.h"

#define CONSUMER_QUEUES 8

struct consumer_fake {
	struct consumer port;
	/* set once */
	struct queue_broker *broker;
	char queues[CONSUMER_QUEUES][QUEUE_NAME_MAX + 1];
	size_t count;
	int prefetch;
	/* under the broker's lock */
	uint64_t generation;
	bool paused;
};

static struct consumer_fake *
consumer_fake_of(struct consumer *c)
{
	return CONTAINER_OF(c, struct consumer_fake, port);
}

/* As refusal, and a consumer whose call fails has lost its connection. */
static int
consumer_fake_enter(struct consumer_fake *c, struct err *e)
{
	int r = queue_fake_refusal(c->broker, e);

	if (r < 0) {
		c->generation = ++c->broker->generation;
		queue_fake_give_up(c->broker, c);
	}
	return r;
}

/* The oldest ready message of the queue, unless as many as allowed are held already. */
static struct stored *
consumer_fake_ready_in(const struct consumer_fake *c, const struct named *q)
{
	struct stored *found = NULL;
	int held = 0;

	for (struct stored *m = q->messages; m; m = m->next) {
		if (m->tag != 0 && m->holder == c)
			held++;
		if (m->tag == 0 && !found)
			found = m;
	}
	return held < c->prefetch ? found : NULL;
}

static int
consumer_fake_hand_out(struct consumer_fake *c, const char *queue, struct stored *m,
		       struct queue_delivery *ret)
{
	struct queue_delivery d = { .connection = c->generation, .redelivered = m->redelivered };

	if (message_copy(&m->message, &d.message, &d.block, NULL) < 0)
		return ERR_NO_MEMORY;
	m->tag = ++c->broker->last_tag;
	m->holder = c;
	if (d.message.len > MESSAGE_BODY_MAX)
		d.message.len = MESSAGE_BODY_MAX;
	d.block[d.message.len] = '\0';
	d.message.destination = queue;
	d.tag = m->tag;
	*ret = d;
	return 0;
}

static int
consumer_fake_try_next(struct consumer_fake *c, struct queue_delivery *ret)
{
	for (size_t i = 0; i < c->count && !c->paused && !c->broker->broken; i++) {
		/* a queue that was deleted is declared again, as on a fresh subscription */
		struct named *q = queue_fake_declare(c->broker, c->queues[i], NULL);
		struct stored *m = q ? consumer_fake_ready_in(c, q) : NULL;

		if (m)
			return consumer_fake_hand_out(c, c->queues[i], m, ret);
	}
	return QUEUE_IDLE;
}

static int
consumer_fake_next(struct consumer *port, int timeout_ms, struct queue_delivery *ret, struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);
	int64_t until = now_monotonic_ms() + timeout_ms;
	int r, broken = b->broken;

	if (consumer_fake_enter(c, NULL) < 0 && !broken)
		return QUEUE_IDLE;
	c->generation = b->generation;
	while ((r = consumer_fake_try_next(c, ret)) == QUEUE_IDLE && deadline_left_ms(until) > 0)
		(void)cond_wait_until(&b->changed, &b->lock, until);
	return r < 0 ? err_set(e, r, "delivery") : r;
}

/* The queue and the message that a delivery stands for; UNAVAILABLE after a disconnect. */
static int
consumer_fake_find_held(struct consumer_fake *c, const struct queue_delivery *d,
			struct named **ret_queue, struct stored **ret, struct err *e)
{
	struct named *q = queue_fake_find(c->broker, d->message.destination);

	for (struct stored *m = q ? q->messages : NULL; m; m = m->next) {
		if (m->tag != d->tag || m->holder != c)
			continue;
		*ret_queue = q;
		*ret = m;
		return 0;
	}
	return err_set(e, ERR_UNAVAILABLE, "the delivery's connection is gone");
}

static int
consumer_fake_ack(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);
	struct named *q;
	struct stored *m;
	int r;

	if ((r = consumer_fake_enter(c, e)) < 0 ||
	    (r = consumer_fake_find_held(c, d, &q, &m, e)) < 0)
		return r;
	queue_fake_remove(q, m);
	pthread_cond_broadcast(&b->changed);
	return 0;
}

static int
consumer_fake_requeue(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);
	struct named *q;
	struct stored *m;
	int r;

	if ((r = consumer_fake_enter(c, e)) < 0 ||
	    (r = consumer_fake_find_held(c, d, &q, &m, e)) < 0)
		return r;
	m->tag = 0;
	m->holder = NULL;
	m->redelivered = true;
	pthread_cond_broadcast(&b->changed);
	return 0;
}

static int
consumer_fake_bury(struct consumer *port, const struct queue_delivery *d, const char *reason,
		   struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);
	struct message message = d->message;
	char dead[QUEUE_NAME_MAX + 1];
	struct named *q;
	struct stored *m;
	int r;

	if ((r = consumer_fake_enter(c, e)) < 0 ||
	    (r = consumer_fake_find_held(c, d, &q, &m, e)) < 0)
		return r;
	if ((r = queue_fake_name_dead(d->message.destination, dead, e)) < 0)
		return r;
	message.destination = dead;
	if ((r = queue_fake_append(b, &message, reason, e)) < 0)
		return r;
	queue_fake_remove(q, m);
	return 0;
}

static int
consumer_fake_pause(struct consumer *port, bool paused, struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);
	int r = consumer_fake_enter(c, e);

	if (r < 0)
		return r;
	c->paused = paused;
	pthread_cond_broadcast(&b->changed);
	return 0;
}

static int
consumer_fake_ping(struct consumer *port, struct err *e)
{
	struct consumer_fake *c = consumer_fake_of(port);
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);

	(void)b;
	return queue_fake_refusal(c->broker, e);
}

static void
close_in(struct consumer_fake *c)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(c->broker);

	queue_fake_give_up(b, c);
}

static void
consumer_fake_close(struct consumer *port)
{
	struct consumer_fake *c = consumer_fake_of(port);

	close_in(c);
	free(c);
}

static const struct consumer_ops consumer_fake_ops = {
	.next = consumer_fake_next,
	.ack = consumer_fake_ack,
	.requeue = consumer_fake_requeue,
	.bury = consumer_fake_bury,
	.pause = consumer_fake_pause,
	.ping = consumer_fake_ping,
	.close = consumer_fake_close,
};

int
consumer_fake_new(struct queue_broker *broker, const char *const *queues, size_t count,
		  int prefetch, struct consumer **ret, struct err *e)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);
	SCOPED_FREE struct consumer_fake *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		return err_set(e, ERR_NO_MEMORY, "consumer");
	if (count > CONSUMER_QUEUES)
		return err_set(e, ERR_INVALID, "more than %d queues", CONSUMER_QUEUES);
	for (size_t i = 0; i < count; i++)
		if ((r = str_copy(c->queues[i], sizeof c->queues[i], queues[i], e)) < 0)
			return r;
	for (size_t i = 0; i < count; i++)
		if (!queue_fake_declare(b, queues[i], e))
			return ERR_UNAVAILABLE;
	c->port.ops = &consumer_fake_ops;
	c->broker = broker;
	c->count = count;
	c->prefetch = prefetch;
	c->generation = b->generation;
	*ret = &TAKE(c)->port;
	return 0;
}
