/* QUEUE: where messages are. */
#include "adapter/amqp/amqp.h"
#include "backend/private.h"

struct queue_technology {
	struct technology is;
	const char *server;
	int (*publisher)(struct backend *b, const struct backend_queue *q, struct publisher **ret,
			 struct err *e);
	int (*consumer)(struct backend *b, const struct backend_queue *q,
			const struct queue_sources *from, struct consumer **ret, struct err *e);
	int (*dead)(const struct backend_config *config, int64_t deadline_ms,
		    struct dead_letters **ret, struct err *e);
};

static struct queue_amqp_config
queues_amqp_config(const struct backend *b, const struct backend_queue *q)
{
	return (struct queue_amqp_config){
		.url = b->config->amqp_url.bytes,
		.heartbeat_s = QUEUE_HEARTBEAT_S,
		.deadline_ms = q->deadline_ms > 0 ? q->deadline_ms : b->limits.deadline_ms,
		.max_waiting = q->max_waiting,
		.on_missing = q->on_missing,
		.on_missing_arg = q->on_missing_arg,
	};
}

static int
queues_amqp_publisher(struct backend *b, const struct backend_queue *q, struct publisher **ret,
		      struct err *e)
{
	struct queue_amqp_config amqp = queues_amqp_config(b, q);

	return publisher_amqp_new(&amqp, ret, e);
}

static int
queues_amqp_consumer(struct backend *b, const struct backend_queue *q,
		     const struct queue_sources *from, struct consumer **ret, struct err *e)
{
	struct queue_amqp_config amqp = queues_amqp_config(b, q);

	return consumer_amqp_new(&amqp, from->queues, from->count, from->prefetch, ret, e);
}

static int
queues_amqp_dead(const struct backend_config *config, int64_t deadline_ms,
		 struct dead_letters **ret, struct err *e)
{
	struct queue_amqp_config amqp = {
		.url = config->amqp_url.bytes,
		.heartbeat_s = QUEUE_HEARTBEAT_S,
		.deadline_ms = deadline_ms,
	};

	return dead_letters_amqp_new(&amqp, ret, e);
}

static const struct queue_technology queues_amqp = {
	{ "amqp:", "amqp:", technology_bare },
	"rabbitmq",
	queues_amqp_publisher,
	queues_amqp_consumer,
	queues_amqp_dead,
};
static const struct technology *const queues_all[] = { &queues_amqp.is, NULL };

int
backend_check_queue(const char *url, struct err *e)
{
	return technology_check(url, queues_all, e);
}

int
backend_check_amqp_url(const char *url, struct err *e)
{
	return queue_amqp_check(url, e);
}

int
backend_check_queue_name(const char *name, struct err *e)
{
	return queue_amqp_name_check(name, e);
}

static const struct queue_technology *
queues_find(const struct backend_config *config, struct err *e)
{
	const struct technology *found = technology_find(config->queue, queues_all, e);

	return (const struct queue_technology *)(const void *)found; /* its first member */
}

static int
queues_ping_publisher(void *publisher, struct err *e)
{
	return publisher_ping(publisher, e);
}

static int
queues_ping_consumer(void *consumer, struct err *e)
{
	return consumer_ping(consumer, e);
}

int
backend_publisher(struct backend *b, const struct backend_queue *q, struct publisher **ret,
		  struct err *e)
{
	const struct queue_technology *t = queues_find(b->config, e);
	int r;

	if (!t)
		return ERR_INVALID;
	if ((r = t->publisher(b, q, &b->publisher, e)) < 0 ||
	    (r = backend_server(b, t->server, queues_ping_publisher, b->publisher, e)) < 0)
		return r;
	*ret = b->publisher;
	return 0;
}

int
backend_consumer(struct backend *b, const struct backend_queue *q, const struct queue_sources *from,
		 struct consumer **ret, struct err *e)
{
	const struct queue_technology *t = queues_find(b->config, e);
	int r;

	if (!t)
		return ERR_INVALID;
	if ((r = t->consumer(b, q, from, &b->consumer, e)) < 0 ||
	    (r = backend_server(b, t->server, queues_ping_consumer, b->consumer, e)) < 0)
		return r;
	*ret = b->consumer;
	return 0;
}

int
backend_dead_letters_new(const struct backend_config *config, int64_t deadline_ms,
			 struct dead_letters **ret, struct err *e)
{
	const struct queue_technology *t = queues_find(config, e);

	return t ? t->dead(config, deadline_ms, ret, e) : ERR_INVALID;
}
