/* A message broker in memory, for tests: durable queues by name, publishers and consumers of the
 * port. A message in the hands of a consumer stays in its queue until it is acked; whatever ends
 * the consumer's connection (close, a fault, queue_broker_disconnect) makes it ready again,
 * redelivered. Threads    the broker, its publishers and consumers may be shared. Ownership
 * publishers and consumers are closed before queue_broker_free. */
#ifndef TONEARM_TESTS_FAKE_QUEUE_QUEUE_FAKE_H
#define TONEARM_TESTS_FAKE_QUEUE_QUEUE_FAKE_H

#include "port/dead_letters.h"
#include "port/queue.h"

struct queue_broker;

/* A copy of one message. */
struct queue_fake_message {
	char body[1024]; /* cut to this, NUL-terminated */
	size_t len;      /* as stored */
	char reason[240];
	bool redelivered;
	bool held; /* in the hands of a consumer */
};

int queue_broker_new(struct queue_broker **ret, struct err *e);
void queue_broker_free(struct queue_broker *b);
SCOPE_DEFINE(struct queue_broker, queue_broker_free)

int publisher_fake_new(struct queue_broker *b, struct publisher **ret, struct err *e);
/* prefetch is per queue, as with the real broker. */
int consumer_fake_new(struct queue_broker *b, const char *const *queues, size_t count, int prefetch,
		      struct consumer **ret, struct err *e);
int dead_letters_fake_new(struct queue_broker *b, struct dead_letters **ret, struct err *e);

/* Every port call answers code (ERR_UNAVAILABLE: the broker is away) until it is set to 0; next
 * says QUEUE_IDLE after its timeout instead, as a consumer that reconnects does. */
void queue_broker_break(struct queue_broker *b, int code);
/* The n-th port call from now (1 = the next) answers code, once; a next says QUEUE_IDLE at once.
 * Where the call is a consumer's, its connection is lost with it. */
void queue_broker_break_nth(struct queue_broker *b, int n, int code);
/* How many port calls were made so far, broken ones too; close is none. */
int queue_broker_calls(struct queue_broker *b);
/* Every consumer's connection is lost: what they hold is ready again, their acks are refused. */
void queue_broker_disconnect(struct queue_broker *b);

/* A foreign producer: the queue appears where it is absent, the size is not limited. */
void queue_broker_put(struct queue_broker *b, const char *queue, const char *body, size_t len);
bool queue_broker_has(struct queue_broker *b, const char *queue);
/* Messages in the queue, held ones included. */
size_t queue_broker_count(struct queue_broker *b, const char *queue);
/* The i-th oldest message of the queue; false when there are fewer. */
bool queue_broker_look(struct queue_broker *b, const char *queue, size_t i,
		       struct queue_fake_message *ret);
/* The queue is gone, with its messages. */
void queue_broker_delete(struct queue_broker *b, const char *queue);

#endif
