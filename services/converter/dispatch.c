#include "converter/dispatch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/wait.h"
#include "converter/convert.h"
#include "converter/permit.h"

#define NEXT_TIMEOUT_MS 500
#define SLOT_TIMEOUT_MS 200
#define PAUSE_MS 1000
/* With all threads busy for this long, the message in hand goes back: an idle replica may want it,
 * and the broker ends consumers that hold one for too long. */
#define REST_AFTER_MS 1000

struct dispatch {
	struct dispatch_config config; /* set once */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct job pending; /* leased, waiting for a thread */
	bool has_pending, closing, server_lost;
	int idle;
	/* owned by the dispatcher's thread */
	bool paused;  /* a server was lost */
	bool resting; /* all threads are busy */
	bool owing;   /* a message was spent on another job than its own */
	int64_t idle_ms;
	int thread_count;
	pthread_t threads[];
};

static bool
dispatch_await_job(struct dispatch *d, struct job *ret)
{
	bool got;

	pthread_mutex_lock(&d->lock);
	d->idle++;
	pthread_cond_broadcast(&d->changed);
	while (!d->has_pending && !d->closing)
		pthread_cond_wait(&d->changed, &d->lock);
	got = d->has_pending;
	if (got)
		*ret = d->pending;
	d->has_pending = false;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	return got;
}

static void *
dispatch_thread(void *arg)
{
	struct dispatch *d = arg;
	struct job job;

	while (dispatch_await_job(d, &job)) {
		enum convert_end end;

		(void)atomic_fetch_add(d->config.running, 1);
		end = convert_job(d->config.converter, &job);
		(void)atomic_fetch_sub(d->config.running, 1);
		if (end == CONVERT_SERVER_LOST) {
			pthread_mutex_lock(&d->lock);
			d->server_lost = true;
			pthread_mutex_unlock(&d->lock);
		}
	}
	return NULL;
}

/* Waits at most ms until at least count threads are idle. */
static bool
dispatch_wait_idle(struct dispatch *d, int count, int64_t ms)
{
	int64_t until = now_monotonic_ms() + ms;
	bool idle, in_time = true;

	pthread_mutex_lock(&d->lock);
	while ((d->idle < count || d->has_pending) && in_time)
		in_time = cond_wait_until(&d->changed, &d->lock, until);
	idle = d->idle >= count && !d->has_pending;
	pthread_mutex_unlock(&d->lock);
	return idle;
}

static void
dispatch_hand_over(struct dispatch *d, const struct job *job)
{
	pthread_mutex_lock(&d->lock);
	d->pending = *job;
	d->has_pending = true;
	d->idle--;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

static bool
dispatch_server_was_lost(struct dispatch *d)
{
	bool lost;

	pthread_mutex_lock(&d->lock);
	lost = d->server_lost;
	d->server_lost = false;
	pthread_mutex_unlock(&d->lock);
	return lost;
}

static void
dispatch_set_paused(struct dispatch *d, bool paused)
{
	struct err e = ERR_NONE;

	if (queue_set_paused(d->config.consumer, paused, &e) < 0) {
		log_warn(LOG_EVENT("intake_pause_failed"), LOG_BOOL("pause", paused), LOG_ERR(&e));
		return;
	}
	d->paused = paused;
	d->resting = false;
	log_info(LOG_EVENT(paused ? "intake_paused" : "intake_resumed"));
}

/* Without MongoDB no job can be had: messages are left to others until it answers. */
static void
dispatch_wait_for_servers(struct dispatch *d)
{
	const struct converter *c = d->config.converter;

	if (job_life_ping(c->jobs, NULL) == 0 && blob_store_ping(c->videos, NULL) == 0 &&
	    blob_store_ping(c->mp3s, NULL) == 0)
		dispatch_set_paused(d, false);
	else
		(void)stop_wait(d->config.stop, PAUSE_MS);
}

static void
dispatch_follow(struct dispatch *d, enum permit permit, const struct job *job)
{
	if (permit == PERMIT_JOB || permit == PERMIT_OTHER_JOB)
		dispatch_hand_over(d, job);
	else if (permit == PERMIT_SERVER_LOST)
		dispatch_set_paused(d, true);
}

/* No message waits. Where one was spent on another job than its own, that job's message may be
 * lost: then the message's own job has none, and would wait until the relay counts it as lost. */
static void
dispatch_take_owed(struct dispatch *d)
{
	enum permit permit;
	struct job job;

	if (!d->owing)
		return;
	permit = permit_take_unasked(d->config.converter, &job);
	d->owing = permit == PERMIT_JOB;
	dispatch_follow(d, permit, &job);
}

static void
dispatch_take_one(struct dispatch *d)
{
	struct queue_delivery delivery;
	enum permit permit;
	struct err e = ERR_NONE;
	struct job job;
	int r = queue_next(d->config.consumer, NEXT_TIMEOUT_MS, &delivery, &e);

	if (r == QUEUE_IDLE) {
		dispatch_take_owed(d);
		return;
	}
	if (r < 0) {
		log_warn(LOG_EVENT("intake_failed"), LOG_ERR(&e));
		(void)stop_wait(d->config.stop, PAUSE_MS);
		return;
	}
	permit = permit_take(d->config.converter, d->config.consumer, &delivery, &job);
	d->owing = d->owing || permit == PERMIT_OTHER_JOB;
	dispatch_follow(d, permit, &job);
	queue_delivery_free(&delivery);
}

static void
dispatch_rest(struct dispatch *d, bool resting)
{
	if (d->resting != resting && queue_set_paused(d->config.consumer, resting, NULL) == 0)
		d->resting = resting;
}

static void
dispatch_work_once(struct dispatch *d)
{
	if (dispatch_wait_idle(d, 1, SLOT_TIMEOUT_MS)) {
		d->idle_ms = now_monotonic_ms();
		dispatch_rest(d, false);
		if (!stop_requested(d->config.stop))
			dispatch_take_one(d);
	} else if (now_monotonic_ms() - d->idle_ms > REST_AFTER_MS) {
		dispatch_rest(d, true);
	}
}

static void
dispatch_work(struct dispatch *d)
{
	while (!stop_requested(d->config.stop)) {
		if (dispatch_server_was_lost(d) && !d->paused)
			dispatch_set_paused(d, true);
		if (d->paused)
			dispatch_wait_for_servers(d);
		else
			dispatch_work_once(d);
	}
}

/* Jobs under way get their time; what is left then is handed back. */
static void
dispatch_drain(struct dispatch *d)
{
	if (!d->paused)
		dispatch_set_paused(d, true);
	if (!dispatch_wait_idle(d, d->thread_count, d->config.drain_ms))
		atomic_store(d->config.hand_back, true);
	pthread_mutex_lock(&d->lock);
	d->closing = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	for (int i = 0; i < d->thread_count; i++)
		(void)pthread_join(d->threads[i], NULL);
}

static struct dispatch *
dispatch_new(const struct dispatch_config *config)
{
	struct dispatch *d = calloc(1, sizeof *d + (size_t)config->jobs * sizeof d->threads[0]);

	if (!d)
		return NULL;
	d->config = *config;
	(void)pthread_mutex_init(&d->lock, NULL);
	cond_init(&d->changed);
	return d;
}

int
dispatch_run(const struct dispatch_config *config, struct err *e)
{
	SCOPED_FREE struct dispatch *d = dispatch_new(config);
	int r = 0;

	if (!d)
		return err_set(e, ERR_NO_MEMORY, "dispatch: no memory");
	while (d->thread_count < config->jobs && r == 0) {
		r = pthread_create(&d->threads[d->thread_count], NULL, dispatch_thread, d);
		d->thread_count += r == 0;
	}
	if (r == 0)
		dispatch_work(d);
	dispatch_drain(d);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	return r == 0 ? 0 : err_errno(e, ERR_INTERNAL, r, "thread");
}
