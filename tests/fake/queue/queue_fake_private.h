/* What the parts of the fake broker share. Every call starts with
 * SCOPED(queue_fake_leave_p) struct queue_broker *b = queue_fake_enter(broker). */
#ifndef TONEARM_TESTS_FAKE_QUEUE_QUEUE_FAKE_PRIVATE_H
#define TONEARM_TESTS_FAKE_QUEUE_QUEUE_FAKE_PRIVATE_H

#include <pthread.h>

#include "fake/queue/queue_fake.h"

#define BROKER_QUEUES 32

struct stored {
	struct stored *next;
	struct message message;
	char *block; /* owned: the bytes behind message */
	char reason[240];
	bool redelivered;
	uint64_t tag;       /* 0 = ready */
	const void *holder; /* the consumer that has it */
};
struct named {
	char name[QUEUE_NAME_MAX + 1];
	struct stored *messages; /* oldest first */
};
struct queue_broker {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct named queues[BROKER_QUEUES];
	size_t count;
	uint64_t last_tag, generation;
	int broken, broken_once, broken_in, calls;
};

struct queue_broker *queue_fake_enter(struct queue_broker *b);
void queue_fake_leave_p(struct queue_broker **b);
/* Counts the call; the failure that the test has asked for, else 0. */
int queue_fake_refusal(struct queue_broker *b, struct err *e);
struct named *queue_fake_find(struct queue_broker *b, const char *queue);
struct named *queue_fake_declare(struct queue_broker *b, const char *queue, struct err *e);
/* A copy joins the queue that m is for. */
int queue_fake_append(struct queue_broker *b, const struct message *m, const char *reason,
		      struct err *e);
/* "<queue>.dead"; TOO_LARGE. */
int queue_fake_name_dead(const char *queue, char ret[QUEUE_NAME_MAX + 1], struct err *e);
/* What the holder has (NULL: any holder) is ready again. */
void queue_fake_give_up(struct queue_broker *b, const void *holder);
void queue_fake_remove(struct named *q, struct stored *m);

#endif
