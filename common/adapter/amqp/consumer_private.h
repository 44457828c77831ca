/* The consumer's state, shared by the port's calls and its thread. */
#ifndef TONEARM_ADAPTER_AMQP_CONSUMER_PRIVATE_H
#define TONEARM_ADAPTER_AMQP_CONSUMER_PRIVATE_H

#include <pthread.h>

#include "adapter/amqp/private.h"

enum consumer_verdict { VERDICT_ACK, VERDICT_REQUEUE, VERDICT_BURY };

/* What a caller said of a delivery. A bury waits on its stack until it is carried out. */
struct consumer_order {
	enum consumer_verdict verdict;
	uint64_t tag;
	struct consumer_bury *bury;
};
struct consumer_bury {
	const struct queue_delivery *delivery;
	const char *reason;
	bool ended;
	int result;
	struct err why;
};

struct consumer_amqp {
	struct consumer port;
	/* set once */
	char (*queues)[QUEUE_NAME_MAX + 1];
	size_t queue_count, room;
	int prefetch;
	int64_t deadline_ms;
	int wake;
	pthread_t thread;
	pthread_cond_t changed;
	/* owned by the thread */
	struct link_amqp link;
	struct content_amqp content, returned;
	struct queue_delivery arriving;
	bool subscribed;
	uint64_t bury_tag, bury_done;
	bool bury_refused;
	/* under lock */
	pthread_mutex_t lock;
	struct queue_delivery *list; /* ring of room */
	size_t first, count;
	struct consumer_order *orders; /* ring of room */
	size_t order_first, order_count;
	uint64_t generation;
	bool ready, paused, stopping;
	struct err last_error;
};

/* The thread: arg is the consumer. */
void *consumer_amqp_work(void *arg);
/* Drops the connection and all that depends on it. */
void consumer_amqp_lost(struct consumer_amqp *c, const struct err *why);

#endif
