/* The consumer: one thread owns the connection, puts deliveries into a bounded list, and carries
 * out what was said of them (ack, requeue, bury) in order. Prefetch bounds everything: the broker
 * sends no more than that unacknowledged. */
#include "adapter/amqp/consumer_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text/str.h"
#include "base/wait.h"

static struct consumer_amqp *
consumer_amqp_of(struct consumer *c)
{
	return CONTAINER_OF(c, struct consumer_amqp, port);
}

static void
consumer_amqp_wake(struct consumer_amqp *c)
{
	uint64_t one = 1;

	(void)!write(c->wake, &one, sizeof one);
}

static int
consumer_amqp_next(struct consumer *port, int timeout_ms, struct queue_delivery *ret, struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	int64_t until = now_monotonic_ms() + timeout_ms;
	bool in_time = true;
	int r = QUEUE_IDLE;

	(void)e;
	pthread_mutex_lock(&c->lock);
	while ((c->count == 0 || c->paused) && in_time)
		in_time = cond_wait_until(&c->changed, &c->lock, until);
	if (c->count > 0 && !c->paused) {
		*ret = c->list[c->first];
		c->first = (c->first + 1) % c->room;
		c->count--;
		r = 0;
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* Under lock. */
static int
consumer_amqp_order(struct consumer_amqp *c, const struct queue_delivery *d,
		    enum consumer_verdict verdict, struct consumer_bury *bury, struct err *e)
{
	if (d->connection != c->generation || !c->ready)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: the delivery's connection is gone");
	if (c->order_count == c->room)
		return err_set(e, ERR_INTERNAL, "more verdicts than deliveries");
	c->orders[(c->order_first + c->order_count++) % c->room] =
		(struct consumer_order){ verdict, d->tag, bury };
	consumer_amqp_wake(c);
	return 0;
}

static int
consumer_amqp_ack(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	int r;

	pthread_mutex_lock(&c->lock);
	r = consumer_amqp_order(c, d, VERDICT_ACK, NULL, e);
	pthread_mutex_unlock(&c->lock);
	return r;
}

static int
consumer_amqp_requeue(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	int r;

	pthread_mutex_lock(&c->lock);
	r = consumer_amqp_order(c, d, VERDICT_REQUEUE, NULL, e);
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* Waits without a deadline of its own: the thread ends every bury within its deadline or with the
 * connection. */
static int
consumer_amqp_bury(struct consumer *port, const struct queue_delivery *d, const char *reason,
		   struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	struct consumer_bury bury = { .delivery = d, .reason = reason };
	int r;

	pthread_mutex_lock(&c->lock);
	if ((r = consumer_amqp_order(c, d, VERDICT_BURY, &bury, e)) == 0) {
		while (!bury.ended)
			pthread_cond_wait(&c->changed, &c->lock);
		r = bury.result;
		if (r < 0 && e)
			*e = bury.why, e->code = r;
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

static int
consumer_amqp_pause(struct consumer *port, bool paused, struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);

	(void)e;
	pthread_mutex_lock(&c->lock);
	if (c->paused != paused) {
		c->paused = paused;
		pthread_cond_broadcast(&c->changed);
		consumer_amqp_wake(c);
	}
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static int
consumer_amqp_ping(struct consumer *port, struct err *e)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	int r = 0;

	pthread_mutex_lock(&c->lock);
	if (!c->ready)
		r = err_set(e, ERR_UNAVAILABLE, "%s",
			    c->last_error.text[0] ? c->last_error.text : "rabbitmq: connecting");
	pthread_mutex_unlock(&c->lock);
	return r;
}

static void
consumer_amqp_free(struct consumer_amqp *c)
{
	link_amqp_fini(&c->link);
	free(c->queues);
	free(c->list);
	free(c->orders);
	free(c);
}

static void
consumer_amqp_close(struct consumer *port)
{
	struct consumer_amqp *c = consumer_amqp_of(port);
	struct err closing = ERR_NONE;

	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_mutex_unlock(&c->lock);
	consumer_amqp_wake(c);
	pthread_join(c->thread, NULL);
	link_amqp_close(&c->link);
	(void)err_set(&closing, ERR_UNAVAILABLE, "rabbitmq: closing");
	consumer_amqp_lost(c, &closing);
	(void)close(c->wake);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	consumer_amqp_free(c);
}

static const struct consumer_ops consumer_amqp_ops = {
	.next = consumer_amqp_next,
	.ack = consumer_amqp_ack,
	.requeue = consumer_amqp_requeue,
	.bury = consumer_amqp_bury,
	.pause = consumer_amqp_pause,
	.ping = consumer_amqp_ping,
	.close = consumer_amqp_close,
};

static int
consumer_amqp_init(struct consumer_amqp *c, const struct queue_amqp_config *config,
		   const char *const *queues, struct err *e)
{
	int r;

	c->port.ops = &consumer_amqp_ops;
	c->deadline_ms = config->deadline_ms;
	if (c->prefetch < 1 || c->queue_count < 1 || c->queue_count > 10)
		return err_set(e, ERR_INVALID, "a consumer wants 1 to 10 queues and a prefetch");
	c->room = (size_t)c->prefetch * c->queue_count * 2; /* redeliveries may overtake verdicts */
	c->queues = calloc(c->queue_count, sizeof *c->queues);
	c->list = calloc(c->room, sizeof *c->list);
	c->orders = calloc(c->room, sizeof *c->orders);
	if (!c->queues || !c->list || !c->orders)
		return err_set(e, ERR_NO_MEMORY, "consumer");
	for (size_t i = 0; i < c->queue_count; i++)
		if ((r = str_copy(c->queues[i], sizeof c->queues[i], queues[i], e)) < 0)
			return r;
	return link_amqp_init(&c->link, config, e);
}

static int
consumer_amqp_start(struct consumer_amqp *c, struct err *e)
{
	pthread_mutex_init(&c->lock, NULL);
	cond_init(&c->changed);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0 || pthread_create(&c->thread, NULL, consumer_amqp_work, c) != 0) {
		if (c->wake >= 0)
			(void)close(c->wake);
		return err_set(e, ERR_NO_MEMORY, "thread of the consumer");
	}
	return 0;
}

int
consumer_amqp_new(const struct queue_amqp_config *config, const char *const *queues, size_t count,
		  int prefetch, struct consumer **ret, struct err *e)
{
	struct consumer_amqp *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		return err_set(e, ERR_NO_MEMORY, "consumer");
	c->queue_count = count;
	c->prefetch = prefetch;
	if ((r = consumer_amqp_init(c, config, queues, e)) < 0 ||
	    (r = consumer_amqp_start(c, e)) < 0) {
		consumer_amqp_free(c);
		return r;
	}
	*ret = &c->port;
	return 0;
}
