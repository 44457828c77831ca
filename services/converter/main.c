#include <stdio.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/random.h"
#include "base/log/log.h"
#include "base/machine/memory_limit.h"
#include "converter/command/command.h"
#include "converter/config.h"
#include "converter/dispatch.h"
#include "flow/job_routes.h"

#define SERVER_DEADLINE_MS 3000
#define PUBLISHES_MAX 1024
#define RELAY_INTERVAL_MS 1000
/* A message is a permit and is acked once its job is leased: one in hand keeps every thread busy,
 * more would be kept from idle replicas. */
#define PREFETCH 1
/* Per job: a reader with its read-ahead, a writer, the lease. Beside them: relay, pings, metrics.
 */
#define CLIENTS_PER_JOB 4
#define CLIENTS_BESIDE 8

struct service {
	struct converter converter;
	struct capacity capacity;
	const char *video_queue;
	struct ledger *ledger;
	struct consumer *consumer;
	struct metric *jobs, *oldest, *conversions, *durations, *running_jobs, *buried;
	atomic_bool hand_back;
	atomic_int running;
};

/* Says so when less is done at once than was asked for. */
static int
converter_find_capacity(const struct converter_config *config, struct capacity *ret, struct err *e)
{
	struct capacity wish;
	int r = converter_capacity(config, &wish, ret, e);

	if (r == 0 && (ret->jobs < wish.jobs || ret->worker_memory < wish.worker_memory))
		log_warn(LOG_EVENT("memory_short"), LOG_INT("memory", memory_limit()),
			 LOG_INT("jobs_asked", wish.jobs), LOG_INT("jobs", ret->jobs),
			 LOG_INT("worker_memory_asked", wish.worker_memory),
			 LOG_INT("worker_memory", ret->worker_memory),
			 LOG_STR("reason", "workers and daemon keep within 80 % of the memory"));
	return r;
}

static void
converter_count_end(void *arg, const char *result, int64_t duration_ms)
{
	struct service *s = arg;

	metric_add(s->conversions, 1, (const char *const[]){ result });
	metric_observe(s->durations, (double)duration_ms / 1000, NULL);
}

static void
converter_count_buried(void *arg)
{
	struct service *s = arg;

	metric_add(s->buried, 1, &s->video_queue);
}

static void
converter_refresh_gauges(void *arg)
{
	struct service *s = arg;
	struct job_counts counts;

	metric_set(s->running_jobs, atomic_load(&s->running), NULL);
	if (job_count(&s->ledger->desk, &counts, NULL) < 0)
		return;
	for (int i = 0; i < JOB_STATES; i++)
		metric_set(s->jobs, (double)counts.by_state[i],
			   (const char *const[]){ job_state_name((enum job_state)i) });
	metric_set(s->oldest, (double)counts.oldest_queued_ms / 1000, NULL);
}

static void
converter_make_metrics(struct service *s, struct metrics *m)
{
	static const char *const by_state[] = { "state", NULL };
	static const char *const by_result[] = { "result", NULL };

	s->jobs = metrics_gauge(m, "tonearm_jobs", "Jobs in the ledger by state.", by_state);
	s->oldest = metrics_gauge(m, "tonearm_oldest_queued_job_seconds",
				  "Age of the oldest job that could run now.", NULL);
	s->running_jobs = metrics_gauge(m, "tonearm_conversions_running",
					"Conversions under way in this process.", NULL);
	s->conversions = metrics_counter(m, "tonearm_conversions_total",
					 "Attempts to convert by result.", by_result);
	s->durations = metrics_histogram(m, "tonearm_conversion_duration_seconds",
					 "How long attempts took.", NULL);
	s->buried = metrics_counter(m, "tonearm_messages_buried_total",
				    "Messages put aside because no code can read them.",
				    (const char *const[]){ "queue", NULL });
	/* From 0 on: an alert on the increase would miss the first one. */
	metric_add(s->buried, 0, &s->video_queue);
	metrics_on_scrape(m, converter_refresh_gauges, s);
}

static void
converter_on_relay_change(void *arg, const struct err *e)
{
	(void)arg;
	if (e->code == 0)
		log_info(LOG_EVENT("relay_recovered"));
	else
		log_warn(LOG_EVENT("relay_failed"), LOG_ERR(e));
}

static int
converter_make_queues(const struct converter_config *config, struct backend *backend,
		      struct outbox *outbox, struct publisher **ret_publisher,
		      struct consumer **ret_consumer, struct err *e)
{
	const char *const queues[] = { config->video_queue };
	const struct queue_sources from = { queues, 1, PREFETCH };
	const struct backend_queue queue = {
		.max_waiting = PUBLISHES_MAX,
		.on_missing = outbox_queue_missing,
		.on_missing_arg = outbox,
	};
	int r = backend_publisher(backend, &queue, ret_publisher, e);

	return r < 0 ? r : backend_consumer(backend, &queue, &from, ret_consumer, e);
}

static int
converter_serve(struct daemon *d, const struct converter_config *config, struct backend *backend,
		struct service *s, struct err *e)
{
	SCOPED(relay_stop_p) struct relay *relay = NULL;
	SCOPED(fair_fini) struct fair fair;
	const struct relay_config relaying = { .outbox = s->converter.announcer.outbox,
					       .publisher = s->converter.announcer.publisher,
					       .interval_ms = RELAY_INTERVAL_MS,
					       .on_change = converter_on_relay_change };
	int r;

	fair_init(&fair);
	s->converter.fair = &fair;
	converter_make_metrics(s, daemon_metrics(d));
	backend_watch(backend, d);
	if ((r = daemon_watch(d, e)) < 0 || (r = daemon_wait_ready(d, e)) < 0)
		return r;
	if (!stop_requested(daemon_stop(d)) && (r = relay_start(&relaying, &relay, e)) == 0) {
		s->converter.announcer.relay = relay;
		r = dispatch_run(
			&(struct dispatch_config){
				.converter = &s->converter,
				.consumer = s->consumer,
				.stop = daemon_stop(d),
				.hand_back = &s->hand_back,
				.jobs = s->capacity.jobs,
				.drain_ms = config->daemon.drain_timeout_ms,
				.running = &s->running,
			},
			e);
	}
	daemon_unwatch(d);
	return r;
}

/* Unique while it lives: host, process and a few random digits (a container's pid is always 1). */
static void
converter_make_owner(char *ret, size_t size)
{
	char host[65] = "", digits[9];

	(void)gethostname(host, sizeof host - 1);
	random_hex(digits, sizeof digits - 1);
	(void)snprintf(ret, size, "%s/%ld/%s", host, (long)getpid(), digits);
}

static int
converter_run(struct daemon *d, const void *arg, struct err *e)
{
	const struct converter_config *config = arg;
	SCOPED(encoder_close_p) struct encoder *encoder = NULL;
	SCOPED(backend_close_p) struct backend *backend = NULL;
	struct backend_limits limits = { .deadline_ms = SERVER_DEADLINE_MS };
	struct blob_store *videos, *mp3s;
	struct ledger *ledger;
	const struct outbox_route routes[] = { job_route_mp3(config->mp3_queue),
					       job_route_failed(config->failed_queue),
					       job_route_video(config->video_queue) };
	struct outbox outbox;
	struct publisher *publisher;
	char owner[LEASE_OWNER_MAX + 1];
	struct service s = { 0 };
	int r;

	if ((r = converter_find_capacity(config, &s.capacity, e)) < 0)
		return r;
	limits.connections = CLIENTS_PER_JOB * s.capacity.jobs + CLIENTS_BESIDE;
	if ((r = converter_encoder_new(config, s.capacity.worker_memory, &encoder, e)) < 0 ||
	    (r = backend_new(&config->backend, &limits, &backend, e)) < 0 ||
	    (r = backend_blobs(backend, "videos", &videos, e)) < 0 ||
	    (r = backend_blobs(backend, "mp3s", &mp3s, e)) < 0 ||
	    (r = backend_ledger(backend, &ledger, e)) < 0)
		return r;
	outbox = (struct outbox){ &ledger->outbox, routes, ARRAY_LEN(routes) };
	if ((r = converter_make_queues(config, backend, &outbox, &publisher, &s.consumer, e)) < 0)
		return r;
	converter_make_owner(owner, sizeof owner);
	s.video_queue = config->video_queue;
	s.ledger = ledger;
	s.converter = (struct converter){
		.videos = videos,
		.mp3s = mp3s,
		.jobs = &ledger->life,
		.encoder = encoder,
		.announcer = { .outbox = &outbox, .publisher = publisher },
		.owner = owner,
		.lease_ms = config->lease_ms,
		.order = (enum converter_order)config->order,
		.hand_back = &s.hand_back,
		.stop = daemon_stop(d),
		.on_end = converter_count_end,
		.on_end_arg = &s,
		.on_buried = converter_count_buried,
		.on_buried_arg = &s,
	};
	return converter_serve(d, config, backend, &s, e);
}

static int
converter_check(const void *arg, struct err *e)
{
	SCOPED(encoder_close_p) struct encoder *encoder = NULL;
	const struct converter_config *config = arg;
	struct capacity wish, fit;
	int r = converter_capacity(config, &wish, &fit, e);

	return r < 0 ? r : converter_encoder_new(config, fit.worker_memory, &encoder, e);
}

int
main(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_convert, &command_dead,
							  &command_jobs, &command_janitor, NULL };
	static const struct daemon_spec spec = {
		.name = "converter",
		.summary = "turns videos into mp3s",
		.keys = converter_keys,
		.config_size = sizeof(struct converter_config),
		.run = converter_run,
		.check = converter_check,
		.commands = commands,
	};

	return daemon_main(argc, argv, &spec);
}
