#include "fake/queue/queue_fake_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/str.h"
#include "base/wait.h"

struct publisher_fake {
	struct publisher port;
	struct queue_broker *broker;
};

struct queue_broker *
queue_fake_enter(struct queue_broker *b)
{
	pthread_mutex_lock(&b->lock);
	return b;
}

void
queue_fake_leave_p(struct queue_broker **b)
{
	pthread_mutex_unlock(&(*b)->lock);
}

int
queue_fake_refusal(struct queue_broker *b, struct err *e)
{
	b->calls++;
	if (b->broken_in > 0 && --b->broken_in == 0)
		return err_set(e, b->broken_once, "the fake broker fails this call");
	if (b->broken)
		return err_set(e, b->broken, "the fake broker is away");
	return 0;
}

struct named *
queue_fake_find(struct queue_broker *b, const char *queue)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->queues[i].name, queue) == 0)
			return &b->queues[i];
	return NULL;
}

struct named *
queue_fake_declare(struct queue_broker *b, const char *queue, struct err *e)
{
	struct named *q = queue_fake_find(b, queue);

	if (q)
		return q;
	if (b->count == BROKER_QUEUES) {
		(void)err_set(e, ERR_UNAVAILABLE, "the fake broker has no room for a queue");
		return NULL;
	}
	q = &b->queues[b->count];
	if (str_copy(q->name, sizeof q->name, queue, e) < 0)
		return NULL;
	q->messages = NULL;
	b->count++;
	return q;
}

int
queue_fake_name_dead(const char *queue, char ret[QUEUE_NAME_MAX + 1], struct err *e)
{
	char dead[QUEUE_NAME_MAX + sizeof ".dead"];

	(void)snprintf(dead, sizeof dead, "%s.dead", queue);
	return str_copy(ret, QUEUE_NAME_MAX + 1, dead, e);
}

int
queue_fake_append(struct queue_broker *b, const struct message *message, const char *reason,
		  struct err *e)
{
	struct named *q = queue_fake_declare(b, message->destination, e);
	struct stored *m, **at;

	if (!q)
		return e ? e->code : ERR_UNAVAILABLE;
	m = calloc(1, sizeof *m);
	if (!m || message_copy(message, &m->message, &m->block, NULL) < 0) {
		free(m);
		return err_set(e, ERR_NO_MEMORY, "message");
	}
	(void)snprintf(m->reason, sizeof m->reason, "%s", reason);
	for (at = &q->messages; *at; at = &(*at)->next)
		continue;
	*at = m;
	pthread_cond_broadcast(&b->changed);
	return 0;
}

void
queue_fake_give_up(struct queue_broker *b, const void *holder)
{
	for (size_t i = 0; i < b->count; i++)
		for (struct stored *m = b->queues[i].messages; m; m = m->next) {
			if (m->tag == 0 || (holder && m->holder != holder))
				continue;
			m->tag = 0;
			m->holder = NULL;
			m->redelivered = true;
		}
	pthread_cond_broadcast(&b->changed);
}

void
queue_fake_remove(struct named *q, struct stored *m)
{
	struct stored **at = &q->messages;

	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	free(m->block);
	free(m);
}

static int
publisher_fake_publish(struct publisher *port, const struct message *message, struct err *e)
{
	SCOPED(queue_fake_leave_p)
	struct queue_broker *b =
		queue_fake_enter(CONTAINER_OF(port, struct publisher_fake, port)->broker);
	int r = queue_fake_refusal(b, e);

	return r < 0 ? r : queue_fake_append(b, message, "", e);
}

static int
publisher_fake_ping(struct publisher *port, struct err *e)
{
	SCOPED(queue_fake_leave_p)
	struct queue_broker *b =
		queue_fake_enter(CONTAINER_OF(port, struct publisher_fake, port)->broker);

	return queue_fake_refusal(b, e);
}

static void
publisher_fake_close(struct publisher *port)
{
	free(CONTAINER_OF(port, struct publisher_fake, port));
}

static const struct publisher_ops publisher_fake_ops = {
	.publish = publisher_fake_publish,
	.ping = publisher_fake_ping,
	.close = publisher_fake_close,
};

int
publisher_fake_new(struct queue_broker *b, struct publisher **ret, struct err *e)
{
	struct publisher_fake *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_NO_MEMORY, "publisher");
	p->port.ops = &publisher_fake_ops;
	p->broker = b;
	*ret = &p->port;
	return 0;
}

void
queue_broker_break(struct queue_broker *broker, int code)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);

	b->broken = code;
	if (code == 0) {
		pthread_cond_broadcast(&b->changed);
		return;
	}
	b->generation++;
	queue_fake_give_up(b, NULL);
}

void
queue_broker_break_nth(struct queue_broker *broker, int n, int code)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);

	b->broken_in = n;
	b->broken_once = code;
}

int
queue_broker_calls(struct queue_broker *broker)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);

	return b->calls;
}

void
queue_broker_disconnect(struct queue_broker *broker)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);

	b->generation++;
	queue_fake_give_up(b, NULL);
}

void
queue_broker_put(struct queue_broker *broker, const char *queue, const char *body, size_t len)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);
	const struct message m = { .destination = queue, .body = body, .len = len };

	if (queue_fake_append(b, &m, "", NULL) < 0)
		abort();
}

bool
queue_broker_has(struct queue_broker *broker, const char *queue)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);

	return queue_fake_find(b, queue);
}

size_t
queue_broker_count(struct queue_broker *broker, const char *queue)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);
	const struct named *q = queue_fake_find(b, queue);
	size_t count = 0;

	for (const struct stored *m = q ? q->messages : NULL; m; m = m->next)
		count++;
	return count;
}

bool
queue_broker_look(struct queue_broker *broker, const char *queue, size_t i,
		  struct queue_fake_message *ret)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);
	const struct named *q = queue_fake_find(b, queue);
	const struct stored *m = q ? q->messages : NULL;

	while (m && i-- > 0)
		m = m->next;
	if (!m)
		return false;
	*ret = (struct queue_fake_message){ .len = m->message.len,
					    .redelivered = m->redelivered,
					    .held = m->tag != 0 };
	(void)snprintf(ret->body, sizeof ret->body, "%s", m->message.body);
	(void)snprintf(ret->reason, sizeof ret->reason, "%s", m->reason);
	return true;
}

static void
queue_fake_empty(struct named *q)
{
	while (q->messages)
		queue_fake_remove(q, q->messages);
}

void
queue_broker_delete(struct queue_broker *broker, const char *queue)
{
	SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker);
	struct named *q = queue_fake_find(b, queue);

	if (!q)
		return;
	queue_fake_empty(q);
	*q = b->queues[--b->count];
}

int
queue_broker_new(struct queue_broker **ret, struct err *e)
{
	struct queue_broker *b = calloc(1, sizeof *b);

	if (!b)
		return err_set(e, ERR_NO_MEMORY, "broker");
	pthread_mutex_init(&b->lock, NULL);
	cond_init(&b->changed);
	b->generation = 1;
	*ret = b;
	return 0;
}

void
queue_broker_free(struct queue_broker *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->count; i++)
		queue_fake_empty(&b->queues[i]);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
