/* What publisher and consumer share: one connection to the broker, used by its I/O thread alone.
 * Only queue_amqp*.c include it. */
#ifndef TONEARM_ADAPTER_AMQP_PRIVATE_H
#define TONEARM_ADAPTER_AMQP_PRIVATE_H

#include <amqp.h>

#include "adapter/amqp/amqp.h"

#define CHANNEL_WORK 1    /* consume, or publish with confirms */
#define CHANNEL_DECLARE 2 /* looks queues up: a miss closes the channel, and only this one */
#define CHANNEL_BURY 3    /* the consumer's own publishes, with confirms */

#define CONTENT_MAX (1024 * 1024) /* bytes of one message that are kept */
#define LINK_QUEUES 8

struct link {
	char *url; /* owned copy, split by info: holds the password */
	struct amqp_connection_info info;
	int heartbeat_s;
	int64_t deadline_ms;
	int (*on_missing)(void *arg, const char *queue, struct err *e);
	void *on_missing_arg;
	amqp_connection_state_t conn; /* NULL = not connected */
	int fd;
	bool blocked; /* the broker takes no publishes now */
	int failures; /* in a row, for the backoff */
	int64_t retry_at_ms;
	char known[LINK_QUEUES][QUEUE_NAME_MAX + 1]; /* queues seen on this connection */
	int known_count;
};

/* Copies and parses the URL; INVALID without quoting it. */
int link_init(struct link *l, const struct queue_amqp_config *config, struct err *e);
void link_fini(struct link *l);
/* Connects, logs in, opens CHANNEL_WORK; blocks at most about the deadline. */
int link_open(struct link *l, struct err *e);
/* Drops the connection; the next try is due after a backoff with jitter. */
void link_drop(struct link *l);
/* As link_drop, after a goodbye to the broker; waits for its answer at most the deadline. */
void link_close(struct link *l);
int link_wait_ms(const struct link *l); /* until the next try */
/* Looks the queue up and declares it durable, without arguments, where it is absent. */
int link_ensure_queue(struct link *l, const char *queue, struct err *e);
void link_forget_queue(struct link *l, const char *queue);
int link_confirm_select(struct link *l, amqp_channel_t channel, struct err *e);
/* What an RPC's reply says; 0 or UNAVAILABLE with words. */
int link_check(amqp_rpc_reply_t reply, const char *what, struct err *e);
int link_status(int status, const char *what, struct err *e);
/* The next frame that is there already: 1, 0 (none), or an error. Serves heartbeats. */
int link_next_frame(struct link *l, amqp_frame_t *ret, struct err *e);
/* Waits for bytes from the broker or a write to wake_fd (-1: none), at most ms. */
void link_poll(const struct link *l, int wake_fd, int ms);
/* One message: persistent JSON, mandatory. */
struct link_message {
	amqp_channel_t channel;
	uint64_t tag;
	const char *queue;
	const char *reason; /* header x-reason; NULL = none */
	const char *body;
	size_t len;
};
int link_publish(struct link *l, const struct link_message *m, struct err *e);

/* A message put together from its frames. */
struct content {
	bool open;
	uint64_t size, seen;
	char *body; /* owned */
	size_t len;
	uint64_t message_id; /* the tag that we gave it, 0 = none */
};
/* Takes a header or body frame; 1 when the message is whole. NO_MEMORY. */
int content_take(struct content *c, const amqp_frame_t *frame, struct err *e);
void content_reset(struct content *c);

#endif
