#include "fake/job/job_fake_private.h"

static int
job_fake_find_by_mp3(struct job_desk *s, const struct blob_id *mp3, struct job *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; !blob_id_is_none(mp3) && i < f->count; i++) {
		if (!blob_id_equal(&f->records[i].job.mp3_fid, mp3))
			continue;
		job_fake_give(&f->records[i], ret);
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no job made %s", mp3->hex);
}

static int
job_fake_count(struct job_desk *s, struct job_counts *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
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

static bool
matches(const struct job *job, const struct job_filter *filter)
{
	return (!filter->state || job->state == *filter->state) &&
	       (!filter->username || strcmp(job->username, filter->username) == 0);
}

static int
job_fake_list(struct job_desk *s, const struct job_filter *filter, struct job *jobs, size_t max,
	      size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
	const struct record *last = NULL;
	int r = job_fake_refusal(f, e);
	size_t n = 0;

	if (r < 0)
		return r;
	while (n < max) {
		const struct record *newest = NULL;

		for (size_t i = 0; i < f->count; i++) {
			const struct record *rec = &f->records[i];

			if (matches(&rec->job, filter) && (!last || job_fake_older(rec, last)) &&
			    (!newest || job_fake_older(newest, rec)))
				newest = rec;
		}
		if (!newest)
			break;
		job_fake_give(newest, &jobs[n++]);
		last = newest;
	}
	*ret_count = n;
	return 0;
}

static int
job_fake_requeue_failed(struct job_desk *s, const struct blob_id *only, const char *username,
			int64_t *ret_requeued, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
	const enum job_state failed = JOB_FAILED;
	const struct job_filter filter = { &failed, username };
	int r = job_fake_refusal(f, e);
	int64_t n = 0;

	if (r < 0)
		return r;
	if (only && blob_id_is_none(only))
		return err_set(e, ERR_INVALID, "no id of a blob");
	for (size_t i = 0; i < f->count; i++) {
		struct record *rec = &f->records[i];

		if (!matches(&rec->job, &filter) || rec->video_expiring || rec->video_settled ||
		    (only && !blob_id_equal(&rec->job.video_fid, only)))
			continue;
		rec->last = (struct job_lease){ 0 };
		rec->job.state = JOB_QUEUED;
		rec->job.attempts = 0;
		rec->job.progress = (struct job_progress){ 0 };
		rec->job.error = (struct job_error){ 0 };
		rec->job.not_before_ms = rec->job.updated_ms = job_fake_now(f);
		rec->job.video_published_ms = rec->job.result_published_ms = 0;
		rec->job.notified_ms = 0;
		memset(&rec->notice, 0, sizeof rec->notice);
		n++;
	}
	*ret_requeued = n;
	return 0;
}

static int
job_fake_load(struct job_desk *s, const char *username, struct job_load *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
	int r = job_fake_refusal(f, e);
	struct job_load load = { 0 };

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		const struct job *job = &f->records[i].job;
		bool uploading = job->state == JOB_UPLOADING;

		if (strcmp(job->username, username) != 0)
			continue;
		load.unfinished +=
			uploading || job->state == JOB_QUEUED || job->state == JOB_LEASED;
		load.uploading_bytes += uploading ? job->source.bytes : 0;
	}
	*ret = load;
	return 0;
}

static int
job_fake_stored(struct job_desk *d, const char *username, int64_t *ret_bytes, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(d);
	int r = job_fake_refusal(f, e);
	int64_t bytes = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		const struct record *rec = &f->records[i];

		if (strcmp(rec->job.username, username) != 0)
			continue;
		if (rec->job.state != JOB_UPLOADING && !rec->video_settled)
			bytes += rec->job.source.bytes;
		if (!rec->audio_settled)
			bytes += rec->result_bytes;
	}
	*ret_bytes = bytes;
	return 0;
}

static int
job_fake_history(struct job_desk *s, const struct blob_id *video, struct job_attempt *list,
		 size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_desk(s);
	const struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
	memcpy(list, rec->history, rec->history_count * sizeof list[0]);
	*ret_count = rec->history_count;
	return 0;
}

const struct job_desk_ops job_fake_desk = {
	.find_by_mp3 = job_fake_find_by_mp3,
	.count = job_fake_count,
	.load = job_fake_load,
	.stored = job_fake_stored,
	.list = job_fake_list,
	.history = job_fake_history,
	.requeue_failed = job_fake_requeue_failed,
};
