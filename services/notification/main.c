/* notification: says that an mp3 is ready, or why there is none. This file alone knows what it
 * stands on. */
#include "backend/backend.h"
#include "base/random.h"
#include "base/log/log.h"
#include "daemon/daemon.h"
#include "flow/job_routes.h"
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
	struct metric *notices, *buried;
};

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
notification_make_metrics(struct service *s, struct metrics *m)
{
	s->notices = metrics_counter(m, "tonearm_notifications_total",
				     "Messages handled, by what became of them.",
				     (const char *const[]){ "result", NULL });
	s->buried = metrics_counter(m, "tonearm_messages_buried_total",
				    "Messages put aside because no code can read them.",
				    (const char *const[]){ "queue", NULL });
	/* From 0 on: an alert on the increase would miss the first one. */
	metric_add(s->buried, 0, &s->notifier.mp3_queue);
	metric_add(s->buried, 0, &s->notifier.failed_queue);
}

/* Nothing is taken meanwhile, so that the broker keeps what it has. */
static void
notification_pause(const struct notifier *n, struct stop *stop, int64_t ms)
{
	(void)queue_set_paused(n->consumer, true, NULL);
	(void)stop_wait(stop, ms);
	(void)queue_set_paused(n->consumer, false, NULL);
}

static void
notification_count(const struct service *s, enum notice notice, const char *queue,
		   const struct err *e)
{
	metric_add(s->notices, 1, (const char *const[]){ notice_name(notice) });
	if (notice != NOTICE_BURIED)
		return;
	metric_add(s->buried, 1, &queue);
	log_warn(LOG_EVENT("message_buried"), LOG_STR("queue", queue), LOG_ERR(e));
}

/* 0 and what became of the next message, QUEUE_IDLE, or why nothing can be taken. */
static int
notification_handle_next(struct service *s, enum notice *ret, struct err *e)
{
	struct notifier *n = &s->notifier;
	struct queue_delivery delivery = { 0 };
	const char *queue;
	int r;

	if (notify_settle(n, e) < 0) {
		*ret = NOTICE_LATER;
		notification_count(s, *ret, "", e);
		return 0;
	}
	if ((r = queue_next(n->consumer, IDLE_MS, &delivery, e)) == 0) {
		queue = delivery.message.destination; /* outlives the delivery */
		*ret = notify(n, &delivery, e);
		notification_count(s, *ret, queue, e);
	}
	return r;
}

static int
notification_consume(struct daemon *d, struct service *s, struct err *e)
{
	struct stop *stop = daemon_stop(d);
	struct notifier *n = &s->notifier;
	int64_t pause_ms = PAUSE_FIRST_MS;
	enum notice notice = NOTICE_LATER; /* gcc cannot see that a message sets it */
	int r;

	for (; !stop_requested(stop); log_context("job_id", NULL)) {
		if ((r = notification_handle_next(s, &notice, e)) == QUEUE_IDLE)
			continue;
		if (r < 0)
			return r;
		if (notice == NOTICE_OTHERS)
			notification_pause(n, stop, PAUSE_OTHERS_MS);
		if (notice != NOTICE_LATER) {
			pause_ms = PAUSE_FIRST_MS;
			continue;
		}
		log_warn(LOG_EVENT("notification_postponed"), LOG_INT("pause_ms", pause_ms),
			 LOG_ERR(e));
		notification_pause(n, stop, pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	(void)notify_settle(n, NULL);
	log_context("job_id", NULL);
	return 0;
}

static int
notification_run(struct daemon *d, const void *config, struct err *e)
{
	const struct notification_config *c = config;
	const char *queues[] = { c->mp3_queue, c->failed_queue };
	struct backend_limits limits = { MONGODB_CLIENTS, SERVER_DEADLINE_MS };
	const struct outbox_route routes[] = { job_route_mp3(c->mp3_queue),
					       job_route_failed(c->failed_queue) };
	struct outbox outbox;
	struct backend_queue queue = { .on_missing = outbox_queue_missing,
				       .on_missing_arg = &outbox };
	struct queue_sources from = { queues, ARRAY_LEN(queues), (int)c->prefetch };
	SCOPED(backend_close_p) struct backend *backend = NULL;
	struct consumer *consumer;
	struct ledger *ledger;
	char owner[OWNER_DIGITS + 1];
	struct service s;
	int r;

	if ((r = backend_new(&c->backend, &limits, &backend, e)) < 0 ||
	    (r = backend_ledger(backend, &ledger, e)) < 0)
		return r;
	outbox = (struct outbox){ &ledger->outbox, routes, ARRAY_LEN(routes) };
	if ((r = backend_consumer(backend, &queue, &from, &consumer, e)) < 0)
		return r;
	random_hex(owner, OWNER_DIGITS);
	s = (struct service){ .notifier = { .consumer = consumer,
					    .owner = owner,
					    .jobs = &ledger->notice,
					    .mp3_queue = c->mp3_queue,
					    .failed_queue = c->failed_queue } };
	notification_make_metrics(&s, daemon_metrics(d));
	backend_watch(backend, d);
	if ((r = daemon_watch(d, e)) < 0 || (r = daemon_wait_ready(d, e)) < 0)
		return r;
	r = notification_consume(d, &s, e);
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
		.run = notification_run,
	};

	return daemon_main(argc, argv, &spec);
}
