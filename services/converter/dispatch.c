#include "converter/dispatch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/wait.h"

#define NEXT_TIMEOUT_MS 500
#define SLOT_TIMEOUT_MS 200
#define PAUSE_MS 1000
/* With all threads busy for this long, the message in hand goes back: an idle replica may want it,
 * and the broker ends consumers that hold one for too long. */
#define REST_AFTER_MS 1000

struct intake {
	struct intake_config config; /* set once */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct job pending; /* leased, waiting for a thread */
	bool has_pending, closing, server_lost;
	int idle;
	/* owned by the intake's thread */
	bool paused;  /* a server was lost */
	bool resting; /* all threads are busy */
	bool owing;   /* a message was spent on another job than its own */
	int64_t idle_ms;
	int thread_count;
	pthread_t threads[];
};

static bool
take_pending(struct intake *in, struct job *ret)
{
	bool got;

	pthread_mutex_lock(&in->lock);
	in->idle++;
	pthread_cond_broadcast(&in->changed);
	while (!in->has_pending && !in->closing)
		pthread_cond_wait(&in->changed, &in->lock);
	got = in->has_pending;
	if (got)
		*ret = in->pending;
	in->has_pending = false;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	return got;
}

static void *
convert_main(void *arg)
{
	struct intake *in = arg;
	struct job job;

	while (take_pending(in, &job)) {
		enum convert_end end;

		(void)atomic_fetch_add(in->config.running, 1);
		end = convert_job(in->config.converter, &job);
		(void)atomic_fetch_sub(in->config.running, 1);
		if (end == CONVERT_SERVER_LOST) {
			pthread_mutex_lock(&in->lock);
			in->server_lost = true;
			pthread_mutex_unlock(&in->lock);
		}
	}
	return NULL;
}

/* Waits at most ms until at least count threads are idle. */
static bool
wait_idle(struct intake *in, int count, int64_t ms)
{
	int64_t until = now_monotonic_ms() + ms;
	bool idle, in_time = true;

	pthread_mutex_lock(&in->lock);
	while ((in->idle < count || in->has_pending) && in_time)
		in_time = cond_wait_until(&in->changed, &in->lock, until);
	idle = in->idle >= count && !in->has_pending;
	pthread_mutex_unlock(&in->lock);
	return idle;
}

static void
hand_over(struct intake *in, const struct job *job)
{
	pthread_mutex_lock(&in->lock);
	in->pending = *job;
	in->has_pending = true;
	in->idle--;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
}

static bool
server_was_lost(struct intake *in)
{
	bool lost;

	pthread_mutex_lock(&in->lock);
	lost = in->server_lost;
	in->server_lost = false;
	pthread_mutex_unlock(&in->lock);
	return lost;
}

static void
set_paused(struct intake *in, bool paused)
{
	struct err e = ERR_NONE;

	if (queue_pause(in->config.consumer, paused, &e) < 0) {
		log_warn(LOG_EVENT("intake_pause_failed"), LOG_BOOL("pause", paused), LOG_ERR(&e));
		return;
	}
	in->paused = paused;
	in->resting = false;
	log_info(LOG_EVENT(paused ? "intake_paused" : "intake_resumed"));
}

/* Without MongoDB no job can be had: messages are left to others until it answers. */
static void
wait_for_servers(struct intake *in)
{
	const struct converter *c = in->config.converter;

	if (job_store_ping(c->jobs, NULL) == 0 && blob_store_ping(c->videos, NULL) == 0 &&
	    blob_store_ping(c->mp3s, NULL) == 0)
		set_paused(in, false);
	else
		(void)stop_wait(in->config.stop, PAUSE_MS);
}

static void
follow(struct intake *in, enum intake_result result, const struct job *job)
{
	if (result == INTAKE_JOB || result == INTAKE_OTHER_JOB)
		hand_over(in, job);
	else if (result == INTAKE_SERVER_LOST)
		set_paused(in, true);
}

/* No message waits. Where one was spent on another job than its own, that job's message may be
 * lost: then the message's own job has none, and would wait until the relay counts it as lost. */
static void
take_owed(struct intake *in)
{
	enum intake_result result;
	struct job job;

	if (!in->owing)
		return;
	result = intake_take_unasked(in->config.converter, &job);
	in->owing = result == INTAKE_JOB;
	follow(in, result, &job);
}

static void
take_one(struct intake *in)
{
	struct queue_delivery delivery;
	enum intake_result result;
	struct err e = ERR_NONE;
	struct job job;
	int r = queue_next(in->config.consumer, NEXT_TIMEOUT_MS, &delivery, &e);

	if (r == QUEUE_IDLE) {
		take_owed(in);
		return;
	}
	if (r < 0) {
		log_warn(LOG_EVENT("intake_failed"), LOG_ERR(&e));
		(void)stop_wait(in->config.stop, PAUSE_MS);
		return;
	}
	result = intake_take(in->config.converter, in->config.consumer, &delivery, &job);
	in->owing = in->owing || result == INTAKE_OTHER_JOB;
	follow(in, result, &job);
	queue_delivery_free(&delivery);
}

static void
rest(struct intake *in, bool resting)
{
	if (in->resting != resting && queue_pause(in->config.consumer, resting, NULL) == 0)
		in->resting = resting;
}

static void
work_once(struct intake *in)
{
	if (wait_idle(in, 1, SLOT_TIMEOUT_MS)) {
		in->idle_ms = now_monotonic_ms();
		rest(in, false);
		if (!stop_requested(in->config.stop))
			take_one(in);
	} else if (now_monotonic_ms() - in->idle_ms > REST_AFTER_MS) {
		rest(in, true);
	}
}

static void
work(struct intake *in)
{
	while (!stop_requested(in->config.stop)) {
		if (server_was_lost(in) && !in->paused)
			set_paused(in, true);
		if (in->paused)
			wait_for_servers(in);
		else
			work_once(in);
	}
}

/* Jobs under way get their time; what is left then is given back. */
static void
drain(struct intake *in)
{
	if (!in->paused)
		set_paused(in, true);
	if (!wait_idle(in, in->thread_count, in->config.drain_ms))
		atomic_store(in->config.cancel, true);
	pthread_mutex_lock(&in->lock);
	in->closing = true;
	pthread_cond_broadcast(&in->changed);
	pthread_mutex_unlock(&in->lock);
	for (int i = 0; i < in->thread_count; i++)
		(void)pthread_join(in->threads[i], NULL);
}

static struct intake *
intake_new(const struct intake_config *config)
{
	struct intake *in = calloc(1, sizeof *in + (size_t)config->jobs * sizeof in->threads[0]);

	if (!in)
		return NULL;
	in->config = *config;
	(void)pthread_mutex_init(&in->lock, NULL);
	cond_init(&in->changed);
	return in;
}

int
intake_run(const struct intake_config *config, struct err *e)
{
	SCOPED_FREE struct intake *in = intake_new(config);
	int r = 0;

	if (!in)
		return err_set(e, ERR_NO_MEMORY, "intake: no memory");
	while (in->thread_count < config->jobs && r == 0) {
		r = pthread_create(&in->threads[in->thread_count], NULL, convert_main, in);
		in->thread_count += r == 0;
	}
	if (r == 0)
		work(in);
	drain(in);
	(void)pthread_cond_destroy(&in->changed);
	(void)pthread_mutex_destroy(&in->lock);
	return r == 0 ? 0 : err_errno(e, ERR_INTERNAL, r, "thread");
}
