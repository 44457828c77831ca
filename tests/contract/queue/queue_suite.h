/* The queues' contract as tests, run on the broker in memory and on RabbitMQ. */
#ifndef TONEARM_TESTS_CONTRACT_QUEUE_QUEUE_SUITE_H
#define TONEARM_TESTS_CONTRACT_QUEUE_QUEUE_SUITE_H

#include "port/queue.h"

/* Publishes a bare body. */
static inline int
queue_put(struct publisher *p, const char *queue, const char *body, size_t len, struct err *e)
{
	return queue_publish(p, &(struct message){ .destination = queue, .body = body, .len = len },
			     e);
}

struct queue_suite_server {
	struct publisher *(*publisher)(void);
	struct consumer *(*consumer)(const char *const *queues, size_t count, int prefetch);
	/* A foreign producer, to a queue that exists. */
	void (*put)(const char *queue, const char *body, size_t len);
	void (*remove)(const char *queue);
	/* Messages that nobody holds; -1 = no such queue. */
	int (*ready)(const char *queue);
	/* Takes the oldest message that nobody holds; the caller frees body. */
	bool (*take)(const char *queue, char **ret_body, size_t *ret_len, char reason[240]);
};

/* The number of failed tests. */
int queue_suite_run(const char *name, const struct queue_suite_server *server);
/* Its part about what a message may hold. */
int queue_suite_message_run(const char *name);

#endif
