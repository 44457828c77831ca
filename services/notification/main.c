/* notification: says that an mp3 is ready, or why there is none. This file alone knows the
 * adapters. */
#include "adapter/job_mongo.h"
#include "adapter/mongo_pool.h"
#include "adapter/queue_amqp.h"
#include "base/hex.h"
#include "base/log.h"
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

static int
ping_mongodb(void *arg, struct err *e)
{
	return job_store_ping(arg, e);
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

/* Nothing is taken meanwhile, so that the broker keeps what it has. */
static void
pause_for(const struct notifier *n, struct stop *stop, int64_t ms)
{
	(void)queue_pause(n->consumer, true, NULL);
	(void)stop_wait(stop, ms);
	(void)queue_pause(n->consumer, false, NULL);
}

/* 0 and what became of the next message, QUEUE_IDLE, or why nothing can be taken. */
static int
handle_next(struct notifier *n, enum notice *ret, struct err *e)
{
	struct queue_delivery delivery;
	int r;

	if (notify_settle(n, e) < 0) {
		*ret = NOTICE_LATER;
		return 0;
	}
	if ((r = queue_next(n->consumer, IDLE_MS, &delivery, e)) == 0)
		*ret = notify(n, &delivery, e);
	return r;
}

static int
consume(struct daemon *d, struct notifier *n, struct err *e)
{
	struct metric *notices = metrics_counter(daemon_metrics(d), "tonearm_notifications_total",
						 "Messages handled, by what became of them.",
						 (const char *const[]){ "result", NULL });
	struct stop *stop = daemon_stop(d);
	int64_t pause_ms = PAUSE_FIRST_MS;
	enum notice notice = NOTICE_LATER; /* gcc cannot see that a message sets it */
	int r;

	while (!stop_requested(stop)) {
		if ((r = handle_next(n, &notice, e)) == QUEUE_IDLE)
			continue;
		if (r < 0)
			return r;
		metric_add(notices, 1, (const char *const[]){ notice_name(notice) });
		if (notice == NOTICE_BURIED)
			log_warn(LOG_EVENT("message_buried"), LOG_ERR(e));
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
	SCOPED(job_store_close_p) struct job_store *jobs = NULL;
	SCOPED(consumer_close_p) struct consumer *consumer = NULL;
	char owner[OWNER_DIGITS + 1];
	int r;

	if ((r = mongo_pool_new(&mongo, &pool, e)) < 0 || (r = job_mongo_new(pool, &jobs, e)) < 0)
		return r;
	outbox.jobs = jobs;
	if ((r = consumer_amqp_new(&amqp, queues, ARRAY_LEN(queues), (int)c->prefetch, &consumer,
				   e)) < 0)
		return r;
	daemon_dependency(d, "mongodb", ping_mongodb, jobs);
	daemon_dependency(d, "rabbitmq", ping_rabbitmq, consumer);
	if ((r = daemon_watch(d, e)) < 0 || (r = daemon_wait_ready(d, e)) < 0)
		return r;
	random_hex(owner, OWNER_DIGITS);
	r = consume(d,
		    &(struct notifier){ .consumer = consumer,
					.owner = owner,
					.jobs = jobs,
					.mp3_queue = c->mp3_queue,
					.failed_queue = c->failed_queue },
		    e);
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
