#include "fake/job/job_fake_private.h"

#include <string.h>

#include "base/text/str.h"

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

int
job_fake_list_unpublished(struct job_store *s, enum job_publication which, struct job *jobs,
			  size_t max, size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
	SCOPED_FREE bool *taken = calloc(f->count + 1, sizeof *taken);
	size_t n = 0;
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (taken == NULL)
		return err_set(e, ERR_NO_MEMORY, "ledger");
	while (n < max) {
		struct record *best = NULL;

		for (size_t i = 0; i < f->count; i++) {
			struct record *rec = &f->records[i];

			if (!taken[i] && unpublished(f, &rec->job, which) &&
			    (best == NULL || before(rec, best, which)))
				best = rec;
		}
		if (best == NULL)
			break;
		taken[best - f->records] = true;
		job_fake_give(best, &jobs[n++]);
	}
	*ret_count = n;
	return 0;
}

int
job_fake_mark_published(struct job_store *s, const struct job *job, enum job_publication which,
			struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
	struct record *rec = job_fake_find(f, &job->video_fid);
	int r = job_fake_refusal(f, e);
	bool right = which == JOB_PUBLISH_VIDEO
			     ? job->state == JOB_QUEUED
			     : job->state == JOB_DONE || job->state == JOB_FAILED;

	if (r < 0)
		return r;
	if (rec == NULL)
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

int
job_fake_forget_published(struct job_store *s, enum job_publication which, int64_t *ret_forgotten,
			  struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
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

int
job_fake_claim_notice(struct job_store *s, const struct blob_id *video, const char *owner,
		      int64_t ms, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);
	bool over, mine;

	if (r < 0)
		return r;
	if (rec == NULL)
		return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
	over = rec->notice.until_ms < job_fake_now(f);
	mine = rec->notice.owner[0] == '\0' || strcmp(rec->notice.owner, owner) == 0;
	if (rec->job.notified_ms || (!mine && !over))
		return err_set(e, ERR_CONFLICT, "job %s is announced by another", video->hex);
	rec->notice.until_ms = job_fake_now(f) + ms;
	if (!mine && !rec->notice.contested) {
		rec->notice.contested = true;
		return err_set(e, ERR_CONFLICT, "job %s is announced by another", video->hex);
	}
	rec->notice.contested = false;
	return str_copy(rec->notice.owner, sizeof rec->notice.owner, owner, e);
}

int
job_fake_mark_notified(struct job_store *s, const struct job_message *message, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
	struct record *rec = job_fake_find(f, &message->video_fid);
	bool has_mp3 = !blob_id_is_none(&message->mp3_fid);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (rec == NULL)
		return err_set(e, ERR_NOT_FOUND, "no job %s", message->video_fid.hex);
	if (rec->job.notified_ms)
		return err_set(e, ERR_CONFLICT, "job %s was announced", message->video_fid.hex);
	if (has_mp3 && (rec->job.state == JOB_QUEUED || rec->job.state == JOB_LEASED)) {
		rec->job.state = JOB_DONE;
		rec->job.mp3_fid = message->mp3_fid;
		rec->job.progress = (struct job_progress){ .fraction = 1 };
		rec->job.error = (struct job_error){ 0 };
		rec->job.updated_ms = job_fake_now(f);
		rec->last = (struct job_lease){ 0 };
	}
	if (rec->job.state != JOB_FAILED && (!has_mp3 || rec->job.state != JOB_DONE))
		return err_set(e, ERR_CONFLICT, "job %s has no such result",
			       message->video_fid.hex);
	rec->job.notified_ms = job_fake_now(f);
	if (rec->job.result_published_ms == 0)
		rec->job.result_published_ms = job_fake_now(f);
	return 0;
}

int
job_fake_count(struct job_store *s, struct job_counts *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter(s);
	struct job_counts counts = { 0 };
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		const struct job *job = &f->records[i].job;

		counts.by_state[job->state]++;
		if (job_fake_due(f, job) &&
		    job_fake_now(f) - job->created_ms > counts.oldest_queued_ms)
			counts.oldest_queued_ms = job_fake_now(f) - job->created_ms;
	}
	*ret = counts;
	return 0;
}
