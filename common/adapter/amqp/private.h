/* What publisher, consumer and dead letters share: one connection to the broker, used by its I/O
 * thread alone. No one else includes it. */
#ifndef TONEARM_ADAPTER_AMQP_PRIVATE_H
#define TONEARM_ADAPTER_AMQP_PRIVATE_H

#include <amqp.h>

#include "adapter/amqp/amqp.h"

#define CHANNEL_WORK 1    /* consume, or publish with confirms */
#define CHANNEL_DECLARE 2 /* looks queues up: a miss closes the channel, and only this one */
#define CHANNEL_BURY 3    /* the consumer's own publishes, with confirms */

#define LINK_QUEUES 8

struct link_amqp {
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

/* check.c: splits url where it is; info lives as long. INVALID without quoting it. */
int amqp_url_split(char *url, struct amqp_connection_info *ret_info, struct err *e);
/* The same file: "<queue>.dead"; TOO_LARGE. */
int amqp_name_dead(const char *queue, char ret[QUEUE_NAME_MAX + 1], struct err *e);
/* Copies and parses the URL; INVALID without quoting it. */
int link_amqp_init(struct link_amqp *l, const struct queue_amqp_config *config, struct err *e);
void link_amqp_fini(struct link_amqp *l);
/* Connects, logs in, opens CHANNEL_WORK; blocks at most about the deadline. */
int link_amqp_open(struct link_amqp *l, struct err *e);
/* Drops the connection; the next try is due after a backoff with jitter. */
void link_amqp_drop(struct link_amqp *l);
/* As link_amqp_drop, after a goodbye to the broker; waits for its answer at most the deadline. */
void link_amqp_close(struct link_amqp *l);
int link_amqp_wait_ms(const struct link_amqp *l); /* until the next try */
/* Looks the queue up and declares it durable, without arguments, where it is absent. */
int link_amqp_ensure_queue(struct link_amqp *l, const char *queue, struct err *e);
void link_amqp_forget_queue(struct link_amqp *l, const char *queue);
int link_amqp_confirm_select(struct link_amqp *l, amqp_channel_t channel, struct err *e);
/* What an RPC's reply says; 0 or UNAVAILABLE with words. */
int link_amqp_check(amqp_rpc_reply_t reply, const char *what, struct err *e);
int link_amqp_status(int status, const char *what, struct err *e);
/* The next frame that is there already: 1, 0 (none), or an error. Serves heartbeats. */
int link_amqp_next_frame(struct link_amqp *l, amqp_frame_t *ret, struct err *e);
/* Waits for bytes from the broker or a write to wake_fd (-1: none), at most ms. */
void link_amqp_poll(const struct link_amqp *l, int wake_fd, int ms);
/* One message to the default exchange, whose routing key is the queue's name: persistent, mandatory.
 * Its key travels as correlation-id. */
struct link_amqp_message {
	amqp_channel_t channel;
	uint64_t tag;       /* as message-id: what comes back is known by it */
	const char *reason; /* header x-reason; NULL = none */
	const struct message *message;
};
int link_amqp_publish(struct link_amqp *l, const struct link_amqp_message *m, struct err *e);

/* A message put together from its frames. */
struct content_amqp {
	bool open;
	uint64_t size, seen; /* of the body: announced, arrived */
	/* what was kept so far, but for a destination; the body NUL-terminated */
	struct message message;
	char *block;         /* owned: the bytes behind message */
	size_t room;         /* for the body, in block */
	uint64_t message_id; /* the tag that we gave it, 0 = none */
};
/* Takes a header or body frame; 1 when the message is whole. NO_MEMORY. */
int content_amqp_take(struct content_amqp *c, const amqp_frame_t *frame, struct err *e);
void content_amqp_reset(struct content_amqp *c);

#endif
