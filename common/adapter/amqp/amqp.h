/* Queues over AMQP 0-9-1 (RabbitMQ). See port/queue.h for the contract. Neither call connects. */
#ifndef TONEARM_ADAPTER_AMQP_AMQP_H
#define TONEARM_ADAPTER_AMQP_AMQP_H

#include <stddef.h>

#include "port/dead_letters.h"
#include "port/queue.h"

/* A frozen broker is noticed after two of these without a word from it. */
#define QUEUE_HEARTBEAT_S 5

struct queue_amqp_config {
	const char *url;     /* amqp://user:password@host:port/vhost; copied, never logged */
	int heartbeat_s;     /* QUEUE_HEARTBEAT_S */
	int64_t deadline_ms; /* connect, confirm: 3000 */
	size_t max_waiting;  /* publishes waiting at once: 1024 */
	/* May be NULL. Called by the connection's thread before it declares a queue that is not
	 * there: whatever was in it is lost. An error leaves the queue undeclared; it is tried
	 * again with the next connection. Takes less than two heartbeats. */
	int (*on_missing)(void *arg, const char *queue, struct err *e);
	void *on_missing_arg;
};
/* Whether url can be read; INVALID in words that stand behind a key's name, without the password. */
int queue_amqp_check(const char *url, struct err *e);
/* Whether a broker takes it for a queue of ours, and for the one of its dead letters. */
int queue_amqp_name_check(const char *name, struct err *e);
int publisher_amqp_new(const struct queue_amqp_config *config, struct publisher **ret,
		       struct err *e);
/* queues: names to consume from, copied; prefetch is per consumer (queue). */
int consumer_amqp_new(const struct queue_amqp_config *config, const char *const *queues,
		      size_t count, int prefetch, struct consumer **ret, struct err *e);
/* See port/dead_letters.h. Connects with each visit; config's max_waiting is not used. */
int dead_letters_amqp_new(const struct queue_amqp_config *config, struct dead_letters **ret,
			  struct err *e);

#endif
