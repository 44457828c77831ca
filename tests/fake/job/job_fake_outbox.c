#include "fake/job/job_fake_private.h"

static int
job_fake_free_expired(struct job_outbox *s, int64_t *ret_freed, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_outbox(s);
	int64_t freed = 0;
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		struct record *rec = &f->records[i];

		if (rec->job.state != JOB_LEASED || rec->job.lease.until_ms >= job_fake_now(f))
			continue;
		job_fake_note_end(f, rec, JOB_END_LOST, NULL);
		rec->last = (struct job_lease){ 0 };
		job_fake_requeue(f, rec, 0);
		freed++;
	}
	*ret_freed = freed;
	return 0;
}

static bool
unpublished(const struct job_fake *f, const struct job *job, enum job_publication which)
{
	if (which == JOB_PUBLISH_RESULT)
		return (job->state == JOB_DONE || job->state == JOB_FAILED) &&
		       job->result_published_ms == 0;
	return job_fake_due(f, job) && job->video_published_ms < job_fake_now(f) - JOB_REPUBLISH_MS;
}

/* The never published before those whose message may be lost; then the oldest. */
static bool
before(const struct record *a, const struct record *b, enum job_publication which)
{
	if (which == JOB_PUBLISH_RESULT && a->job.updated_ms != b->job.updated_ms)
		return a->job.updated_ms < b->job.updated_ms;
	if (which == JOB_PUBLISH_VIDEO && a->job.video_published_ms != b->job.video_published_ms)
		return a->job.video_published_ms < b->job.video_published_ms;
	return job_fake_older(a, b);
}

static int
job_fake_list_unpublished(struct job_outbox *s, enum job_publication which, struct job *jobs,
			  size_t max, size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_outbox(s);
	SCOPED_FREE bool *taken = calloc(f->count + 1, sizeof *taken);
	size_t n = 0;
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!taken)
		return err_set(e, ERR_NO_MEMORY, "ledger");
	while (n < max) {
		struct record *best = NULL;

		for (size_t i = 0; i < f->count; i++) {
			struct record *rec = &f->records[i];

			if (!taken[i] && unpublished(f, &rec->job, which) &&
			    (!best || before(rec, best, which)))
				best = rec;
		}
		if (!best)
			break;
		taken[best - f->records] = true;
		job_fake_give(best, &jobs[n++]);
	}
	*ret_count = n;
	return 0;
}

static int
job_fake_mark_published(struct job_outbox *s, const struct job *job, enum job_publication which,
			struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_outbox(s);
	struct record *rec = job_fake_find(f, &job->video_fid);
	int r = job_fake_refusal(f, e);
	bool right = which == JOB_PUBLISH_VIDEO
			     ? job->state == JOB_QUEUED
			     : job->state == JOB_DONE || job->state == JOB_FAILED;

	if (r < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", job->video_fid.hex);
	if (!right || rec->job.state != job->state || rec->job.attempts != job->attempts ||
	    (which == JOB_PUBLISH_VIDEO && job->updated_ms &&
	     rec->job.updated_ms != job->updated_ms))
		return err_set(e, ERR_CONFLICT, "job %s moved on", job->video_fid.hex);
	*(which == JOB_PUBLISH_VIDEO ? &rec->job.video_published_ms
				     : &rec->job.result_published_ms) = job_fake_now(f);
	return 0;
}

static bool
was_published(const struct job_fake *f, const struct job *job, enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return job->state == JOB_QUEUED && job->video_published_ms;
	return (job->state == JOB_DONE || job->state == JOB_FAILED) && job->notified_ms == 0 &&
	       job->result_published_ms > job_fake_now(f) - JOB_RESULT_LOST_MS;
}

static int
job_fake_forget_published(struct job_outbox *s, enum job_publication which, int64_t *ret_forgotten,
			  struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_outbox(s);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	*ret_forgotten = 0;
	for (size_t i = 0; i < f->count; i++) {
		struct job *job = &f->records[i].job;

		if (!was_published(f, job, which))
			continue;
		*(which == JOB_PUBLISH_VIDEO ? &job->video_published_ms
					     : &job->result_published_ms) = 0;
		(*ret_forgotten)++;
	}
	return 0;
}

const struct job_outbox_ops job_fake_outbox = {
	.free_expired = job_fake_free_expired,
	.list_unpublished = job_fake_list_unpublished,
	.mark_published = job_fake_mark_published,
	.forget_published = job_fake_forget_published,
};
