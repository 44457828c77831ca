#include "fake/job/job_fake_private.h"

struct found {
	struct job job;
	struct blob_id blob;
};

void
job_fake_forget(struct record *rec, const struct blob_id *output)
{
	size_t kept = 0;

	for (size_t i = 0; i < rec->output_count; i++)
		if (!blob_id_equal(&rec->outputs[i], output))
			rec->outputs[kept++] = rec->outputs[i];
	rec->output_count = kept;
}

void
job_fake_register(struct record *rec, const struct blob_id *output)
{
	if (rec->output_count == JOB_OUTPUTS_MAX)
		job_fake_forget(rec, &rec->outputs[0]);
	rec->outputs[rec->output_count++] = *output;
}

static bool
given_up(const struct job *job)
{
	return job->state == JOB_EXPIRED && job->result_published_ms == 0;
}

static bool
is_left(const struct job_fake *f, const struct record *rec, enum job_left which, int64_t age_ms)
{
	const struct job *job = &rec->job;
	bool old = job->updated_ms < job_fake_now(f) - age_ms;
	bool expirable = old && job->result_published_ms &&
			 (job->state == JOB_DONE || job->state == JOB_EXPIRED);

	switch (which) {
	case JOB_LEFT_UPLOAD:
		return (job->state == JOB_UPLOADING && old) || given_up(job);
	case JOB_LEFT_OUTPUT:
		return old && rec->output_count > 0 && job->state != JOB_LEASED;
	case JOB_LEFT_VIDEO:
		return !rec->video_settled &&
		       (expirable || (old && job->result_published_ms && job->state == JOB_FAILED));
	case JOB_LEFT_AUDIO:
		return expirable && !rec->audio_settled;
	}
	return false;
}

static size_t
find_left(const struct record *rec, enum job_left which, struct found *to)
{
	size_t count = which == JOB_LEFT_OUTPUT ? rec->output_count : 1;

	for (size_t i = 0; i < count; i++) {
		job_fake_give(rec, &to[i].job);
		to[i].blob = which == JOB_LEFT_OUTPUT  ? rec->outputs[i]
			     : which == JOB_LEFT_AUDIO ? rec->job.mp3_fid
						       : rec->job.video_fid;
	}
	return count;
}

static int
collect(struct job_leftover *s, enum job_left which, int64_t age_ms, struct found **ret,
	size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_leftover(s);
	int r = job_fake_refusal(f, e);
	struct found *all;
	size_t n = 0;

	if (r < 0)
		return r;
	if (!(all = calloc(f->count * JOB_OUTPUTS_MAX + 1, sizeof *all)))
		return err_set(e, ERR_NO_MEMORY, "leftovers");
	for (size_t i = 0; i < f->count; i++)
		if (is_left(f, &f->records[i], which, age_ms))
			n += find_left(&f->records[i], which, all + n);
	*ret = all;
	*ret_count = n;
	return 0;
}

static int
job_fake_each_leftover(struct job_leftover *s, enum job_left which, int64_t age_ms, job_left_fn fn,
		       void *arg, struct err *e)
{
	SCOPED_FREE struct found *all = NULL;
	size_t count = 0;
	int r = collect(s, which, age_ms, &all, &count, e);

	for (size_t i = 0; i < count && r == 0; i++)
		r = fn(&all[i].job, &all[i].blob, arg, e);
	return r;
}

static int
job_fake_expire(struct job_leftover *s, const struct job *job, enum job_left which, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_leftover(s);
	struct record *rec = job_fake_find(f, &job->video_fid);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec || rec->job.state != job->state || rec->job.updated_ms != job->updated_ms)
		return err_set(e, ERR_CONFLICT, "job %s moved on", job->video_fid.hex);
	if (which == JOB_LEFT_VIDEO)
		rec->video_expiring = true;
	else
		rec->job.state = JOB_EXPIRED;
	return 0;
}

static int
job_fake_settle(struct job_leftover *s, const struct blob_id *video, enum job_left which,
		const struct blob_id *blob, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_leftover(s);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0 || !rec)
		return r;
	switch (which) {
	case JOB_LEFT_UPLOAD:
		if (given_up(&rec->job))
			*rec = f->records[--f->count];
		break;
	case JOB_LEFT_OUTPUT:
		job_fake_forget(rec, blob);
		break;
	case JOB_LEFT_VIDEO:
		rec->video_settled = true;
		break;
	case JOB_LEFT_AUDIO:
		rec->audio_settled = true;
		break;
	}
	return 0;
}

static int
job_fake_is_registered(struct job_leftover *s, const struct blob_id *blob, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_leftover(s);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		const struct record *rec = &f->records[i];

		if (blob_id_equal(&rec->job.video_fid, blob))
			return 0;
		for (size_t k = 0; k < rec->output_count; k++)
			if (blob_id_equal(&rec->outputs[k], blob))
				return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no job has registered %s", blob->hex);
}

const struct job_leftover_ops job_fake_leftover = {
	.each = job_fake_each_leftover,
	.expire = job_fake_expire,
	.settle = job_fake_settle,
	.is_registered = job_fake_is_registered,
};
