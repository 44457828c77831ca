/* The publisher: callers leave their message in a list and wait; one thread owns the connection,
 * sends what is new, and matches the broker's confirms. A caller's entry lives on its stack: it is
 * in the list only while it waits. */
#include "adapter/amqp/publisher_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

static struct publisher_amqp *
publisher_amqp_of(struct publisher *p)
{
	return CONTAINER_OF(p, struct publisher_amqp, port);
}

static void
publisher_wake(struct publisher_amqp *p)
{
	uint64_t one = 1;

	(void)!write(p->wake, &one, sizeof one);
}

/* Under lock: what a caller is told at once. */
static int
publisher_refuse_now(struct publisher_amqp *p, struct err *e)
{
	if (p->tried && !p->connected)
		return err_set(e, ERR_UNAVAILABLE, "%s", p->last_error.text);
	if (p->blocked)
		return err_set(e, ERR_UNAVAILABLE, "%s", PUBLISHER_BLOCKED);
	if (p->waiting >= p->max_waiting)
		return err_set(e, ERR_UNAVAILABLE, "rabbitmq: %zu publishes are waiting",
			       p->waiting);
	return 0;
}

static void
publisher_wait_ended(struct publisher_amqp *p, struct publisher_entry *entry)
{
	int64_t until = now_monotonic_ms() + p->deadline_ms;
	struct err late = ERR_NONE;

	while (entry->state != ENTRY_ENDED)
		if (!cond_wait_until(&p->ended, &p->lock, until))
			break;
	if (entry->state == ENTRY_ENDED)
		return;
	p->suspect = p->connected; /* a broker that confirms nothing for so long is frozen */
	publisher_wake(p);
	(void)err_set(&late, ERR_TIMEOUT, "rabbitmq: %s: no confirm in time",
		      entry->message->destination);
	publisher_amqp_end(p, entry, ERR_TIMEOUT, &late);
}

static int
publisher_amqp_publish(struct publisher *port, const struct message *message, struct err *e)
{
	struct publisher_amqp *p = publisher_amqp_of(port);
	struct publisher_entry entry = { .message = message, .size = message_size(message) };
	int r;

	pthread_mutex_lock(&p->lock);
	if ((r = publisher_refuse_now(p, e)) == 0) {
		*p->tail = &entry;
		p->tail = &entry.next;
		p->waiting++;
		publisher_wake(p);
		publisher_wait_ended(p, &entry);
		r = entry.result;
		if (r < 0 && e)
			*e = entry.why, e->code = r;
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

static int
publisher_amqp_ping(struct publisher *port, struct err *e)
{
	struct publisher_amqp *p = publisher_amqp_of(port);
	int r = 0;

	pthread_mutex_lock(&p->lock);
	if (!p->connected)
		r = err_set(e, ERR_UNAVAILABLE, "%s",
			    p->tried ? p->last_error.text : "rabbitmq: connecting");
	pthread_mutex_unlock(&p->lock);
	return r;
}

static void
publisher_amqp_close(struct publisher *port)
{
	struct publisher_amqp *p = publisher_amqp_of(port);
	struct err closing = ERR_NONE;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_mutex_unlock(&p->lock);
	publisher_wake(p);
	pthread_join(p->thread, NULL);
	link_amqp_close(&p->link);
	(void)err_set(&closing, ERR_UNAVAILABLE, "rabbitmq: closing");
	publisher_amqp_lost(p, &closing);
	content_amqp_reset(&p->content);
	link_amqp_fini(&p->link);
	(void)close(p->wake);
	pthread_cond_destroy(&p->ended);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct publisher_ops publisher_amqp_ops = {
	.publish = publisher_amqp_publish,
	.ping = publisher_amqp_ping,
	.close = publisher_amqp_close,
};

static void
publisher_init_sync(struct publisher_amqp *p)
{
	pthread_mutex_init(&p->lock, NULL);
	cond_init(&p->ended);
}

int
publisher_amqp_new(const struct queue_amqp_config *config, struct publisher **ret, struct err *e)
{
	struct publisher_amqp *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return err_set(e, ERR_NO_MEMORY, "publisher");
	p->port.ops = &publisher_amqp_ops;
	p->tail = &p->list;
	p->max_waiting = config->max_waiting;
	p->deadline_ms = config->deadline_ms;
	publisher_init_sync(p);
	if ((r = link_amqp_init(&p->link, config, e)) < 0) {
		link_amqp_fini(&p->link);
		free(p);
		return r;
	}
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake < 0 || pthread_create(&p->thread, NULL, publisher_amqp_work, p) != 0) {
		if (p->wake >= 0)
			(void)close(p->wake);
		link_amqp_fini(&p->link);
		free(p);
		return err_set(e, ERR_NO_MEMORY, "thread of the publisher");
	}
	*ret = &p->port;
	return 0;
}
