#include "fake/job/job_fake_private.h"

#include "base/text/str.h"

struct job_fake *
job_fake_enter(struct job_fake *f)
{
	(void)pthread_mutex_lock(&f->lock);
	f->calls++;
	return f;
}

void
job_fake_leave_p(struct job_fake **f)
{
	(void)pthread_mutex_unlock(&(*f)->lock);
}

int
job_fake_refusal(struct job_fake *f, struct err *e)
{
	if (f->broken_in > 0 && --f->broken_in == 0)
		return err_set(e, f->broken_once, "the fake ledger fails this call");
	if (f->broken)
		return err_set(e, f->broken, "the fake ledger is away");
	return 0;
}

int64_t
job_fake_now(const struct job_fake *f)
{
	return clock_unix_ms(f->clock);
}

struct record *
job_fake_find(struct job_fake *f, const struct blob_id *video)
{
	for (size_t i = 0; i < f->count; i++)
		if (blob_id_equal(&f->records[i].job.video_fid, video))
			return &f->records[i];
	return NULL;
}

void
job_fake_give(const struct record *r, struct job *ret)
{
	*ret = r->job;
	if (ret->state != JOB_LEASED) {
		ret->lease = (struct job_lease){ 0 };
		ret->progress.speed = ret->progress.remaining_s = 0;
	}
}

void
job_fake_legible(char *text)
{
	if (utf8_valid(text, strlen(text)))
		return;
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
}

bool
job_fake_due(const struct job_fake *f, const struct job *job)
{
	return job->state == JOB_QUEUED && job->not_before_ms <= job_fake_now(f);
}

bool
job_fake_older(const struct record *a, const struct record *b)
{
	if (a->job.created_ms != b->job.created_ms)
		return a->job.created_ms < b->job.created_ms;
	return a->number < b->number;
}
