#include "converter/record.h"

#include "base/clock.h"
#include "base/log/log.h"
#include "base/wait.h"
#include "flow/reaction.h"

#define RECORD_RETRY_FIRST_MS 200
#define RECORD_RETRY_LAST_MS 2000
#define RECORD_HANDED_BACK_MS 5000 /* a stopping converter still tries to hand its job back */

static int
record_once(const struct attempt *a, enum reaction reaction, struct err *e)
{
	struct job_life *jobs = a->c->jobs;
	const struct job_lease *lease = &a->job->lease;

	switch (reaction) {
	case REACTION_DONE:
		return job_finish(jobs, lease, &a->made, e);
	case REACTION_FAIL:
		return job_fail(jobs, lease, &a->why, e);
	case REACTION_RETRY:
		return job_retry(jobs, lease, &a->why, reaction_delay_ms(a->job->attempts), e);
	case REACTION_HAND_BACK:
		return job_hand_back(jobs, lease, a->handed_back ? &a->why : NULL, e);
	}
	return err_set(e, ERR_INTERNAL, "no such reaction");
}

static bool
record_may_try_again(const struct attempt *a, int64_t since_ms)
{
	bool stopping = a->c->hand_back && atomic_load(a->c->hand_back);

	return !attempt_lost(a) &&
	       (!stopping || now_monotonic_ms() - since_ms < RECORD_HANDED_BACK_MS);
}

/* A ledger that is away is waited for as long as the lease is ours; after that the next attempt
 * finds the output and adopts it. */
static int
record_patiently(const struct attempt *a, enum reaction reaction, struct err *e)
{
	int64_t wait_ms = RECORD_RETRY_FIRST_MS, since_ms = now_monotonic_ms();
	int r;

	for (;;) {
		r = record_once(a, reaction, e);
		if (!err_is_transient(r) || !record_may_try_again(a, since_ms))
			return r;
		wait_pause(wait_ms);
		wait_ms = wait_ms * 2 < RECORD_RETRY_LAST_MS ? wait_ms * 2 : RECORD_RETRY_LAST_MS;
	}
}

static void
record_announce(const struct attempt *a, enum reaction reaction)
{
	struct job job = *a->job;

	job.state = reaction == REACTION_DONE ? JOB_DONE : JOB_FAILED;
	job.mp3_fid = a->made.mp3_fid;
	job.warnings = a->made.warnings;
	job.error = a->why;
	relay_announce(&a->c->announcer, &job, JOB_PUBLISH_RESULT);
}

static void
record_log(const struct attempt *a, enum reaction reaction, int64_t ms, const struct err *e)
{
	const struct job *job = a->job;

	if (reaction == REACTION_DONE)
		log_info(LOG_EVENT("job_done"), LOG_STR("video_fid", job->video_fid.hex),
			 LOG_STR("mp3_fid", a->made.mp3_fid.hex), LOG_STR("user", job->username),
			 LOG_INT("duration_ms", ms), LOG_INT("attempt", job->attempts),
			 LOG_INT("bytes", a->made.bytes), LOG_BOOL("adopted", a->adopted));
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
record_label(enum reaction reaction)
{
	switch (reaction) {
	case REACTION_DONE:
		return "done";
	case REACTION_FAIL:
		return "failed";
	case REACTION_RETRY:
		return "retry";
	case REACTION_HAND_BACK:
		return "given_back";
	}
	return "lost";
}

/* Whoever has recorded the result removes the blobs of earlier attempts that came too late to be
 * adopted: nobody can adopt them any more. What no attempt finished, and what stays for want of a
 * server, the janitor finds. */
static void
record_clear_others(const struct attempt *a)
{
	for (size_t i = 0; i < a->other_count; i++) {
		SCOPED(blob_reader_close_p) struct blob_reader *late = NULL;

		if (!blob_id_equal(&a->others[i], &a->made.mp3_fid) &&
		    blob_open(a->c->mp3s, &a->others[i], &late, NULL) == 0)
			(void)blob_remove(a->c->mp3s, &a->others[i], NULL);
	}
}

/* The ledger does not count this attempt's output. It goes if no attempt can follow that would
 * adopt it: the lease's next holder may be about to. */
static void
record_drop_own(const struct attempt *a)
{
	const struct blob_id *own = &a->made.mp3_fid;
	struct job now;
	int r;

	if (a->adopted || blob_id_is_none(own))
		return;
	r = job_get(a->c->jobs, &a->job->video_fid, &now, NULL);
	if (r == ERR_NOT_FOUND ||
	    (r == 0 && job_state_is_over(now.state) && !blob_id_equal(&now.mp3_fid, own)))
		(void)blob_remove(a->c->mp3s, own, NULL);
}

/* The record comes first: what the ledger does not know is not announced. */
const char *
record_attempt(const struct attempt *a, int result, int64_t ms, struct err *e)
{
	enum reaction reaction = reaction_to(result, a->job->attempts, a->server_lost);
	struct err why = *e;
	int r;

	if ((r = record_patiently(a, reaction, e)) < 0) {
		if (r == ERR_CONFLICT && reaction == REACTION_DONE)
			record_drop_own(a);
		log_warn(LOG_EVENT("job_not_recorded"), LOG_STR("video_fid", a->job->video_fid.hex),
			 LOG_STR("result", record_label(reaction)), LOG_ERR(e));
		return "not_recorded";
	}
	if (reaction == REACTION_DONE || reaction == REACTION_FAIL)
		record_announce(a, reaction);
	if (reaction == REACTION_DONE)
		record_clear_others(a);
	record_log(a, reaction, ms, &why);
	return record_label(reaction);
}
