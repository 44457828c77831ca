/* The publisher's state, shared by the port's calls and its thread. */
#ifndef TONEARM_ADAPTER_AMQP_PUBLISHER_PRIVATE_H
#define TONEARM_ADAPTER_AMQP_PUBLISHER_PRIVATE_H

#include <pthread.h>

#include "adapter/amqp/private.h"

#define PUBLISHER_BLOCKED "rabbitmq: the broker takes no messages now (resource alarm)"

enum entry_state { ENTRY_NEW, ENTRY_SENT, ENTRY_ENDED };

struct publisher_entry {
	struct publisher_entry *next;
	const struct message *message; /* borrowed while its caller waits */
	size_t size;                   /* its bytes on the wire, about */
	enum entry_state state;
	uint64_t tag;
	bool returned;
	int result;
	struct err why;
};

struct publisher_amqp {
	struct publisher port;
	/* set once */
	size_t max_waiting;
	int64_t deadline_ms;
	int wake;
	pthread_t thread;
	pthread_cond_t ended;
	/* owned by the thread */
	struct link_amqp link;
	struct content_amqp content;
	uint64_t last_tag;
	size_t in_flight, in_flight_bytes;
	/* under lock */
	pthread_mutex_t lock;
	struct publisher_entry *list, **tail;
	size_t waiting;
	bool connected, tried, blocked, suspect, stopping;
	struct err last_error;
};

/* The thread: arg is the publisher. */
void *publisher_amqp_work(void *arg);
/* Under lock: the entry's caller is told, and the entry leaves the list. */
void publisher_amqp_end(struct publisher_amqp *p, struct publisher_entry *entry, int result,
			const struct err *why);
/* Ends every entry: the connection is gone. */
void publisher_amqp_lost(struct publisher_amqp *p, const struct err *why);

#endif
