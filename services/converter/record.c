/* What becomes of an attempt: its record in the ledger, its announcement, its log line. */
#include <time.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "converter/attempt.h"
#include "flow/reaction.h"

#define RECORD_RETRY_FIRST_MS 200
#define RECORD_RETRY_LAST_MS 2000
#define RECORD_CANCELED_MS 5000 /* a stopping converter still tries to hand its job back */

static int
record_once(const struct attempt *a, enum reaction reaction, struct err *e)
{
	struct job_store *jobs = a->c->jobs;
	const struct job_lease *lease = &a->job->lease;

	switch (reaction) {
	case REACTION_DONE:
		return job_finish(jobs, lease, &a->made, e);
	case REACTION_FAIL:
		return job_fail(jobs, lease, &a->why, e);
	case REACTION_RETRY:
		return job_retry(jobs, lease, &a->why, reaction_delay_ms(a->job->attempts), e);
	case REACTION_GIVE_BACK:
		return job_give_back(jobs, lease, a->canceled ? &a->why : NULL, e);
	}
	return err_set(e, ERR_INTERNAL, "no such reaction");
}

static bool
may_try_again(const struct attempt *a, int64_t since_ms)
{
	bool canceled = a->c->cancel && atomic_load(a->c->cancel);

	return !attempt_lost(a) &&
	       (!canceled || now_monotonic_ms() - since_ms < RECORD_CANCELED_MS);
}

/* A ledger that is away is waited for as long as the lease is ours; after that the next attempt
 * finds the output and adopts it. */
static int
record(const struct attempt *a, enum reaction reaction, struct err *e)
{
	int64_t wait_ms = RECORD_RETRY_FIRST_MS, since_ms = now_monotonic_ms();
	int r;

	for (;;) {
		struct timespec pause = { wait_ms / 1000, wait_ms % 1000 * 1000000 };

		r = record_once(a, reaction, e);
		if (!err_is_transient(r) || !may_try_again(a, since_ms))
			return r;
		(void)nanosleep(&pause, NULL);
		wait_ms = wait_ms * 2 < RECORD_RETRY_LAST_MS ? wait_ms * 2 : RECORD_RETRY_LAST_MS;
	}
}

static void
announce(const struct attempt *a, enum reaction reaction)
{
	struct job job = *a->job;
	struct err e = ERR_NONE;

	job.state = reaction == REACTION_DONE ? JOB_DONE : JOB_FAILED;
	job.mp3_fid = a->made.mp3_fid;
	job.error = a->why;
	if (relay_publish(&a->c->outbox, &job, JOB_PUBLISH_RESULT, &e) < 0 && a->c->relay)
		relay_poke(a->c->relay);
}

static void
log_end(const struct attempt *a, enum reaction reaction, int64_t ms, const struct err *e)
{
	const struct job *job = a->job;

	if (reaction == REACTION_DONE)
		log_info(LOG_EVENT("job_done"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_STR("mp3_fid", a->made.mp3_fid.hex), LOG_STR("user", job->username),
			 LOG_INT("duration_ms", ms), LOG_INT("attempt", job->attempts),
			 LOG_INT("bytes", a->bytes), LOG_BOOL("adopted", a->adopted));
	else if (reaction == REACTION_FAIL)
		log_warn(LOG_EVENT("job_failed"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_STR("user", job->username), LOG_INT("duration_ms", ms),
			 LOG_INT("attempt", job->attempts), LOG_STR("code", a->why.code),
			 LOG_ERR(e));
	else if (reaction == REACTION_RETRY)
		log_warn(LOG_EVENT("job_retry"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_STR("user", job->username), LOG_INT("duration_ms", ms),
			 LOG_INT("attempt", job->attempts), LOG_STR("code", a->why.code),
			 LOG_INT("delay_ms", reaction_delay_ms(job->attempts)), LOG_ERR(e));
	else
		log_info(LOG_EVENT("job_given_back"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_STR("user", job->username), LOG_INT("duration_ms", ms),
			 LOG_INT("attempt", job->attempts), LOG_ERR(e));
}

static const char *
result_name(enum reaction reaction)
{
	switch (reaction) {
	case REACTION_DONE:
		return "done";
	case REACTION_FAIL:
		return "failed";
	case REACTION_RETRY:
		return "retry";
	case REACTION_GIVE_BACK:
		return "given_back";
	}
	return "lost";
}

/* The record comes first: what the ledger does not know is not announced. Returns the metric's
 * label. */
static const char *
settle(const struct attempt *a, int result, int64_t ms, struct err *e)
{
	enum reaction reaction = reaction_to(result, a->job->attempts, a->server_lost);
	struct err why = *e;

	if (record(a, reaction, e) < 0) {
		log_warn(LOG_EVENT("job_not_recorded"), LOG_STR("video_fid", a->job->video_fid.hex),
			 LOG_STR("result", result_name(reaction)), LOG_ERR(e));
		return "not_recorded";
	}
	if (reaction == REACTION_DONE || reaction == REACTION_FAIL)
		announce(a, reaction);
	log_end(a, reaction, ms, &why);
	return result_name(reaction);
}

static enum convert_end
convert_under_lease(const struct converter *c, const struct job *job, struct lease_keeper *keeper)
{
	struct attempt a = { .c = c, .job = job, .keeper = keeper, .start_ms = now_monotonic_ms() };
	int64_t ms;
	struct err e = ERR_NONE;
	const char *result;
	int r = attempt_run(&a, &e);

	ms = now_monotonic_ms() - a.start_ms;
	if (r < 0 && attempt_lost(&a)) {
		log_warn(LOG_EVENT("job_lost"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_INT("attempt", job->attempts), LOG_ERR(&e));
		result = "lost";
	} else {
		result = settle(&a, r, ms, &e);
	}
	if (c->on_end)
		c->on_end(c->on_end_arg, result, ms);
	return a.server_lost && !a.canceled ? CONVERT_SERVER_LOST : CONVERT_ENDED;
}

enum convert_end
convert_job(const struct converter *c, const struct job *job)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *keeper = NULL;
	enum convert_end end = CONVERT_ENDED;
	struct err e = ERR_NONE;

	log_context("job_id", job->video_fid.hex);
	if (lease_keeper_start(c->jobs, &job->lease, c->lease_ms, &keeper, &e) < 0) {
		log_warn(LOG_EVENT("job_not_started"), LOG_ERR(&e));
		(void)job_give_back(c->jobs, &job->lease, NULL, NULL);
	} else {
		end = convert_under_lease(c, job, keeper);
	}
	log_context("job_id", NULL);
	return end;
}
