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
consumer_of(struct consumer *c)
{
	return CONTAINER_OF(c, struct consumer_amqp, port);
}

static void
wake(struct consumer_amqp *c)
{
	uint64_t one = 1;

	(void)!write(c->wake, &one, sizeof one);
}

static int
consumer_next(struct consumer *port, int timeout_ms, struct queue_delivery *ret, struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);
	int64_t until = now_monotonic_ms() + timeout_ms;
	bool in_time = true;
	int r = QUEUE_IDLE;

	(void)e;
	(void)pthread_mutex_lock(&c->lock);
	while ((c->count == 0 || c->paused) && in_time)
		in_time = cond_wait_until(&c->changed, &c->lock, until);
	if (c->count > 0 && !c->paused) {
		*ret = c->list[c->first];
		c->first = (c->first + 1) % c->room;
		c->count--;
		r = 0;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

/* Under lock. */
static int
order(struct consumer_amqp *c, const struct queue_delivery *d, enum verdict verdict,
      struct bury *bury, struct err *e)
{
	if (d->connection != c->generation || !c->ready)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: the delivery's connection is gone");
	if (c->order_count == c->room)
		return err_set(e, ERR_INTERNAL, "more verdicts than deliveries");
	c->orders[(c->order_first + c->order_count++) % c->room] =
		(struct order){ verdict, d->tag, bury };
	wake(c);
	return 0;
}

static int
consumer_ack(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);
	int r;

	(void)pthread_mutex_lock(&c->lock);
	r = order(c, d, VERDICT_ACK, NULL, e);
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

static int
consumer_requeue(struct consumer *port, const struct queue_delivery *d, struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);
	int r;

	(void)pthread_mutex_lock(&c->lock);
	r = order(c, d, VERDICT_REQUEUE, NULL, e);
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

/* Waits without a deadline of its own: the thread ends every bury within its deadline or with the
 * connection. */
static int
consumer_bury(struct consumer *port, const struct queue_delivery *d, const char *reason,
	      struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);
	struct bury bury = { .delivery = d, .reason = reason };
	int r;

	(void)pthread_mutex_lock(&c->lock);
	if ((r = order(c, d, VERDICT_BURY, &bury, e)) == 0) {
		while (!bury.ended)
			(void)pthread_cond_wait(&c->changed, &c->lock);
		r = bury.result;
		if (r < 0 && e)
			*e = bury.why, e->code = r;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

static int
consumer_pause(struct consumer *port, bool paused, struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);

	(void)e;
	(void)pthread_mutex_lock(&c->lock);
	if (c->paused != paused) {
		c->paused = paused;
		(void)pthread_cond_broadcast(&c->changed);
		wake(c);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return 0;
}

static int
consumer_amqp_ping(struct consumer *port, struct err *e)
{
	struct consumer_amqp *c = consumer_of(port);
	int r = 0;

	(void)pthread_mutex_lock(&c->lock);
	if (!c->ready)
		r = err_set(e, ERR_UNAVAILABLE, "%s",
			    c->last_error.text[0] ? c->last_error.text : "rabbitmq: connecting");
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

static void
consumer_free(struct consumer_amqp *c)
{
	link_fini(&c->link);
	free(c->queues);
	free(c->list);
	free(c->orders);
	free(c);
}

static void
consumer_amqp_close(struct consumer *port)
{
	struct consumer_amqp *c = consumer_of(port);
	struct err closing = ERR_NONE;

	(void)pthread_mutex_lock(&c->lock);
	c->stopping = true;
	(void)pthread_mutex_unlock(&c->lock);
	wake(c);
	(void)pthread_join(c->thread, NULL);
	link_close(&c->link);
	(void)err_set(&closing, ERR_UNAVAILABLE, "rabbitmq: closing");
	consumer_lost(c, &closing);
	(void)close(c->wake);
	(void)pthread_cond_destroy(&c->changed);
	(void)pthread_mutex_destroy(&c->lock);
	consumer_free(c);
}

static const struct consumer_ops consumer_amqp_ops = {
	.next = consumer_next,
	.ack = consumer_ack,
	.requeue = consumer_requeue,
	.bury = consumer_bury,
	.pause = consumer_pause,
	.ping = consumer_amqp_ping,
	.close = consumer_amqp_close,
};

static int
consumer_init(struct consumer_amqp *c, const struct queue_amqp_config *config,
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
	if (c->queues == NULL || c->list == NULL || c->orders == NULL)
		return err_set(e, ERR_NO_MEMORY, "consumer");
	for (size_t i = 0; i < c->queue_count; i++)
		if ((r = str_copy(c->queues[i], sizeof c->queues[i], queues[i], e)) < 0)
			return r;
	return link_init(&c->link, config, e);
}

static int
start(struct consumer_amqp *c, struct err *e)
{

	(void)pthread_mutex_init(&c->lock, NULL);
	cond_init(&c->changed);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0 || pthread_create(&c->thread, NULL, consumer_work, c) != 0) {
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

	if (c == NULL)
		return err_set(e, ERR_NO_MEMORY, "consumer");
	c->queue_count = count;
	c->prefetch = prefetch;
	if ((r = consumer_init(c, config, queues, e)) < 0 || (r = start(c, e)) < 0) {
		consumer_free(c);
		return r;
	}
	*ret = &c->port;
	return 0;
}
