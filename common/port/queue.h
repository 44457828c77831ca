/* Queues: a publisher and a consumer, each its own connection to the broker, each served by its own
 * thread, so that heartbeats never wait for work of ours.
 *
 * Publisher  may be shared by threads. A publish is persistent, confirmed, and never lost in
 *            silence: it fails with UNAVAILABLE when the broker is away, takes nothing or knows no
 *            such destination, with TIMEOUT when no confirm came in time (the message may or may
 *            not be there), with TOO_LARGE or INVALID by the bounds of model/message.h.
 *            Bounded: past the limit of waiting publishes UNAVAILABLE at once.
 * Consumer   next is called by one thread; ack, requeue and bury may come from any.
 *            A delivery owns its bytes and is freed by queue_delivery_free, whatever was said of
 *            it. An ack for a delivery of a lost connection is UNAVAILABLE: the broker delivers it
 *            again. Bounded by the prefetch: no more deliveries are held at once, for each queue.
 * Queues     are looked up first and used as they are; absent ones are declared, so that they
 *            outlive the broker, with nothing else asked of them.
 * Time       both reconnect for ever, with backoff. Nothing connects before it is needed; ping
 *            tells. No call but next waits longer than the adapter's deadline. */
#ifndef TONEARM_PORT_QUEUE_H
#define TONEARM_PORT_QUEUE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/message.h"

#define QUEUE_NAME_MAX MESSAGE_DESTINATION_MAX

struct publisher;
struct publisher_ops {
	int (*publish)(struct publisher *, const struct message *, struct err *);
	int (*ping)(struct publisher *, struct err *);
	void (*close)(struct publisher *);
};
struct publisher {
	const struct publisher_ops *ops;
};

struct queue_delivery {
	/* As it was published. The destination is the queue that it came from and lives as long as
	 * the consumer. Of what others send, a body past the bound is cut, and a key or headers past
	 * theirs are left out; all of it is hostile. */
	struct message message;
	char *block; /* owned: the bytes behind message */
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

/* 0: the broker has the message, and keeps it. m is borrowed for the call. */
static inline int
queue_publish(struct publisher *p, const struct message *m, struct err *e)
{
	int r = message_check(m, e);

	return r < 0 ? r : p->ops->publish(p, m, e);
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

/* The message is done with; the broker forgets it. */
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

/* Moves the message to "<queue>.dead", as it is and with the reason (confirmed), then acks it. */
static inline int
queue_bury(struct consumer *c, const struct queue_delivery *d, const char *reason, struct err *e)
{
	return c->ops->bury(c, d, reason, e);
}

/* Stops (or resumes) taking messages: what is held and was not handed out goes back to the broker. */
static inline int
queue_set_paused(struct consumer *c, bool paused, struct err *e)
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
	free(d->block);
	*d = (struct queue_delivery){ 0 };
}

SCOPE_DEFINE(struct publisher, publisher_close)
SCOPE_DEFINE(struct consumer, consumer_close)

#endif
