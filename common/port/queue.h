/* Queues: a publisher and a consumer, each its own connection to the broker, each served by its own
 * thread, so that heartbeats never wait for work of ours.
 *
 * Publisher  may be shared by threads. A publish is persistent, mandatory and confirmed; it fails
 * with UNAVAILABLE when the broker is away, blocked, or returns the message, TIMEOUT when no
 * confirm came in time (the message may or may not be there). Bounded: past the limit of waiting
 *            publishes UNAVAILABLE at once.
 * Consumer   used by one thread for next; ack, requeue and bury may come from any thread. A
 * delivery owns its bytes and is freed by queue_delivery_free whatever was said of it. An ack for a
 * delivery of a lost connection is UNAVAILABLE: the broker delivers it again. Queues are looked up
 * passively first and used as they are; absent ones are declared durable without arguments. Both
 * reconnect for ever with backoff. Nothing connects before it is needed; ping tells. */
#ifndef TONEARM_PORT_QUEUE_H
#define TONEARM_PORT_QUEUE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"

struct publisher;
struct publisher_ops {
	int (*publish)(struct publisher *, const char *queue, const char *body, size_t len,
		       struct err *);
	int (*ping)(struct publisher *, struct err *);
	void (*close)(struct publisher *);
};
struct publisher {
	const struct publisher_ops *ops;
};

#define QUEUE_NAME_MAX 255

struct queue_delivery {
	const char *queue; /* which of the consumer's queues; lives as long as the consumer */
	char *body;        /* owned, NUL-terminated */
	size_t len;
	uint64_t tag;
	uint64_t connection; /* generation; an ack after a reconnect is refused by it */
	bool redelivered;
};

enum queue_next_result { QUEUE_IDLE = 1 }; /* nothing came within the timeout */

struct consumer;
struct consumer_ops {
	int (*next)(struct consumer *, int timeout_ms, struct queue_delivery *, struct err *);
	int (*ack)(struct consumer *, const struct queue_delivery *, struct err *);
	int (*requeue)(struct consumer *, const struct queue_delivery *, struct err *);
	int (*bury)(struct consumer *, const struct queue_delivery *, const char *reason,
		    struct err *);
	int (*pause)(struct consumer *, bool paused, struct err *);
	int (*ping)(struct consumer *, struct err *);
	void (*close)(struct consumer *);
};
struct consumer {
	const struct consumer_ops *ops;
};

static inline int
queue_publish(struct publisher *p, const char *queue, const char *body, size_t len, struct err *e)
{
	return p->ops->publish(p, queue, body, len, e);
}
static inline int
publisher_ping(struct publisher *p, struct err *e)
{
	return p->ops->ping(p, e);
}
static inline void
publisher_close(struct publisher *p)
{
	if (p)
		p->ops->close(p);
}

/* 0 and a delivery, or QUEUE_IDLE after timeout_ms. A lost connection is no error here: it
 * reconnects. */
static inline int
queue_next(struct consumer *c, int timeout_ms, struct queue_delivery *ret, struct err *e)
{
	int r = c->ops->next(c, timeout_ms, ret, e);
	assert(r <= QUEUE_IDLE);
	return r;
}
static inline int
queue_ack(struct consumer *c, const struct queue_delivery *d, struct err *e)
{
	return c->ops->ack(c, d, e);
}
/* Gives the message back to the broker, for anyone. */
static inline int
queue_requeue(struct consumer *c, const struct queue_delivery *d, struct err *e)
{
	return c->ops->requeue(c, d, e);
}
/* Moves the message to "<queue>.dead" with the reason in header x-reason (confirmed), then acks it.
 */
static inline int
queue_bury(struct consumer *c, const struct queue_delivery *d, const char *reason, struct err *e)
{
	return c->ops->bury(c, d, reason, e);
}
/* Stops (or resumes) taking messages: what is held unasked goes back to the broker. */
static inline int
queue_pause(struct consumer *c, bool paused, struct err *e)
{
	return c->ops->pause(c, paused, e);
}
static inline int
consumer_ping(struct consumer *c, struct err *e)
{
	return c->ops->ping(c, e);
}
static inline void
consumer_close(struct consumer *c)
{
	if (c)
		c->ops->close(c);
}
/* Frees the bytes; zeroes *d. */
static inline void
queue_delivery_free(struct queue_delivery *d)
{
	free(d->body);
	*d = (struct queue_delivery){ 0 };
}

SCOPE_DEFINE(struct publisher, publisher_close)
SCOPE_DEFINE(struct consumer, consumer_close)

#endif
