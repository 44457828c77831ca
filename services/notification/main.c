/* notification: says that an mp3 is ready, or why there is none. This file alone knows the
 * adapters. */
#include "adapter/mongo_jobs/mongo_jobs.h"
#include "adapter/mongo/pool.h"
#include "adapter/amqp/amqp.h"
#include "base/random.h"
#include "base/log/log.h"
#include "daemon/daemon.h"
#include "flow/relay.h"
#include "notification/config.h"
#include "notification/notify.h"

#define SERVER_DEADLINE_MS 2500
#define MONGODB_CLIENTS 4
#define IDLE_MS 500
#define PAUSE_FIRST_MS 500
#define PAUSE_OTHERS_MS 200
#define OWNER_DIGITS 16
#define PAUSE_MAX_MS 10000

struct service {
	struct notifier notifier;
	struct mongo_pool *pool;
	struct metric *notices, *buried, *mongo;
};

static int
ping_mongodb(void *arg, struct err *e)
{
	return job_life_ping(arg, e);
}

static int
ping_rabbitmq(void *arg, struct err *e)
{
	return consumer_ping(arg, e);
}

static const char *
notice_name(enum notice notice)
{
	switch (notice) {
	case NOTICE_SAID:
		return "said";
	case NOTICE_KNOWN:
		return "known";
	case NOTICE_BURIED:
		return "buried";
	case NOTICE_OTHERS:
		return "others";
	case NOTICE_LATER:
		return "later";
	}
	return "unknown";
}

static void
refresh_gauges(void *arg)
{
	struct service *s = arg;
	int used, max;

	mongo_pool_usage(s->pool, &used, &max);
	metric_set(s->mongo, used, (const char *const[]){ "used" });
	metric_set(s->mongo, max, (const char *const[]){ "max" });
}

static void
make_metrics(struct service *s, struct metrics *m)
{
	s->notices = metrics_counter(m, "tonearm_notifications_total",
				     "Messages handled, by what became of them.",
				     (const char *const[]){ "result", NULL });
	s->buried = metrics_counter(m, "tonearm_messages_buried_total",
				    "Messages put aside because no code can read them.",
				    (const char *const[]){ "queue", NULL });
	s->mongo = metrics_gauge(m, "tonearm_mongodb_clients", "Clients of the MongoDB pool.",
				 (const char *const[]){ "kind", NULL });
	/* From 0 on: an alert on the increase would miss the first one. */
	metric_add(s->buried, 0, &s->notifier.mp3_queue);
	metric_add(s->buried, 0, &s->notifier.failed_queue);
	metrics_on_scrape(m, refresh_gauges, s);
}

/* Nothing is taken meanwhile, so that the broker keeps what it has. */
static void
pause_for(const struct notifier *n, struct stop *stop, int64_t ms)
{
	(void)queue_pause(n->consumer, true, NULL);
	(void)stop_wait(stop, ms);
	(void)queue_pause(n->consumer, false, NULL);
}

static void
note(const struct service *s, enum notice notice, const char *queue, const struct err *e)
{
	metric_add(s->notices, 1, (const char *const[]){ notice_name(notice) });
	if (notice != NOTICE_BURIED)
		return;
	metric_add(s->buried, 1, &queue);
	log_warn(LOG_EVENT("message_buried"), LOG_STR("queue", queue), LOG_ERR(e));
}

/* 0 and what became of the next message, QUEUE_IDLE, or why nothing can be taken. */
static int
handle_next(struct service *s, enum notice *ret, struct err *e)
{
	struct notifier *n = &s->notifier;
	struct queue_delivery delivery = { 0 };
	const char *queue;
	int r;

	if (notify_settle(n, e) < 0) {
		*ret = NOTICE_LATER;
		note(s, *ret, "", e);
		return 0;
	}
	if ((r = queue_next(n->consumer, IDLE_MS, &delivery, e)) == 0) {
		queue = delivery.message.destination; /* outlives the delivery */
		*ret = notify(n, &delivery, e);
		note(s, *ret, queue, e);
	}
	return r;
}

static int
consume(struct daemon *d, struct service *s, struct err *e)
{
	struct stop *stop = daemon_stop(d);
	struct notifier *n = &s->notifier;
	int64_t pause_ms = PAUSE_FIRST_MS;
	enum notice notice = NOTICE_LATER; /* gcc cannot see that a message sets it */
	int r;

	for (; !stop_requested(stop); log_context("job_id", NULL)) {
		if ((r = handle_next(s, &notice, e)) == QUEUE_IDLE)
			continue;
		if (r < 0)
			return r;
		if (notice == NOTICE_OTHERS)
			pause_for(n, stop, PAUSE_OTHERS_MS);
		if (notice != NOTICE_LATER) {
			pause_ms = PAUSE_FIRST_MS;
			continue;
		}
		log_warn(LOG_EVENT("notification_postponed"), LOG_INT("pause_ms", pause_ms),
			 LOG_ERR(e));
		pause_for(n, stop, pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	(void)notify_settle(n, NULL);
	log_context("job_id", NULL);
	return 0;
}

static int
run(struct daemon *d, const void *config, struct err *e)
{
	const struct notification_config *c = config;
	const char *queues[] = { c->mp3_queue, c->failed_queue };
	struct mongo_pool_config mongo = { c->mongodb_uri.bytes, MONGODB_CLIENTS,
					   SERVER_DEADLINE_MS };
	struct relay_config outbox = { .video_queue = "",
				       .mp3_queue = c->mp3_queue,
				       .failed_queue = c->failed_queue };
	struct queue_amqp_config amqp = { .url = c->amqp_url.bytes,
					  .heartbeat_s = QUEUE_HEARTBEAT_S,
					  .deadline_ms = SERVER_DEADLINE_MS,
					  .max_waiting = 64,
					  .on_missing = relay_queue_missing,
					  .on_missing_arg = &outbox };
	SCOPED(mongo_pool_free_p) struct mongo_pool *pool = NULL;
	SCOPED(ledger_close_p) struct ledger *ledger = NULL;
	SCOPED(consumer_close_p) struct consumer *consumer = NULL;
	char owner[OWNER_DIGITS + 1];
	struct service s;
	int r;

	if ((r = mongo_pool_new(&mongo, &pool, e)) < 0 ||
	    (r = mongo_jobs_new(pool, &ledger, e)) < 0)
		return r;
	outbox.jobs = &ledger->outbox;
	if ((r = consumer_amqp_new(&amqp, queues, ARRAY_LEN(queues), (int)c->prefetch, &consumer,
				   e)) < 0)
		return r;
	random_hex(owner, OWNER_DIGITS);
	s = (struct service){ .notifier = { .consumer = consumer,
					    .owner = owner,
					    .jobs = &ledger->notice,
					    .mp3_queue = c->mp3_queue,
					    .failed_queue = c->failed_queue },
			      .pool = pool };
	make_metrics(&s, daemon_metrics(d));
	daemon_dependency(d, "mongodb", ping_mongodb, &ledger->life);
	daemon_dependency(d, "rabbitmq", ping_rabbitmq, consumer);
	if ((r = daemon_watch(d, e)) < 0 || (r = daemon_wait_ready(d, e)) < 0)
		return r;
	r = consume(d, &s, e);
	daemon_unwatch(d); /* the pings use what is closed now */
	return r;
}

int
main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "notification",
		.summary = "says that an mp3 is ready, or why there is none",
		.keys = notification_config_keys,
		.config_size = sizeof(struct notification_config),
		.run = run,
	};

	return daemon_main(argc, argv, &spec);
}
