#include "fake/job/job_fake_private.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/random.h"

static bool
is_listed(const char *username, const char *const *users, size_t count)
{
	size_t i = 0;

	while (i < count && strcmp(users[i], username) != 0)
		i++;
	return i < count;
}

static int64_t
count_running(const struct job_fake *f, const char *username)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->records[i].job.state == JOB_LEASED &&
		     strcmp(f->records[i].job.username, username) == 0;
	return n;
}

static struct job_waiting *
find_waiting(struct job_waiting *users, size_t count, const char *username)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(users[i].username, username) == 0)
			return &users[i];
	return NULL;
}

int
job_fake_list_waiting(struct job_life *l, struct job_waiting *users, size_t max, size_t *ret_count,
		      struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(l);
	int r = job_fake_refusal(f, e);
	size_t n = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count && n < max; i++) {
		const struct job *job = &f->records[i].job;

		if (job->state != JOB_QUEUED || find_waiting(users, n, job->username))
			continue;
		memcpy(users[n].username, job->username, sizeof users[n].username);
		users[n].running = count_running(f, job->username);
		n++;
	}
	*ret_count = n;
	return 0;
}

static void
take(struct job_fake *f, struct record *rec, const struct job_lease_terms *terms, struct job *ret)
{
	rec->last = (struct job_lease){ .video_fid = rec->job.video_fid,
					.output = blob_id_new(),
					.until_ms = job_fake_now(f) + terms->ms };
	(void)snprintf(rec->last.owner, sizeof rec->last.owner, "%s", terms->owner);
	job_fake_legible(rec->last.owner);
	random_hex(rec->last.token, LEASE_TOKEN_DIGITS);
	job_fake_register(rec, &rec->last.output);
	rec->began_ms = job_fake_now(f);
	rec->job.lease = rec->last;
	rec->job.state = JOB_LEASED;
	rec->job.attempts++;
	rec->job.progress = (struct job_progress){ 0 };
	rec->job.updated_ms = job_fake_now(f);
	job_fake_give(rec, ret);
}

int
job_fake_lease_oldest(struct job_life *l, const struct job_lease_terms *terms,
		      const char *const *users, size_t count, struct job *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(l);
	struct record *oldest = NULL;
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < f->count; i++) {
		struct record *rec = &f->records[i];

		if (job_fake_due(f, &rec->job) &&
		    (count == 0 || is_listed(rec->job.username, users, count)) &&
		    (!oldest || job_fake_older(rec, oldest)))
			oldest = rec;
	}
	if (!oldest)
		return err_set(e, ERR_NOT_FOUND, "no job is due");
	take(f, oldest, terms, ret);
	return 0;
}

int
job_fake_lease_one(struct job_life *l, const struct job_lease_terms *terms,
		   const struct blob_id *video, struct job *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(l);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec || !job_fake_due(f, &rec->job))
		return err_set(e, ERR_NOT_FOUND, "job %s is not due", video->hex);
	take(f, rec, terms, ret);
	return 0;
}

int
job_fake_list_outputs(struct job_life *l, const struct job_lease *lease, struct blob_id *ids,
		      size_t *ret_count, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(l);
	const struct record *rec = job_fake_find(f, &lease->video_fid);
	int r = job_fake_refusal(f, e);
	size_t n = 0;

	if (r < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", lease->video_fid.hex);
	for (size_t i = 0; i < rec->output_count; i++)
		if (!blob_id_equal(&rec->outputs[i], &lease->output))
			ids[n++] = rec->outputs[i];
	*ret_count = n;
	return 0;
}

/* The record that the lease holds, with *ret_again = 0; or the one that it has brought to after
 * already, with 1. */
static int
held(struct job_fake *f, const struct job_lease *lease, enum job_state after, struct record **ret,
     int *ret_again, struct err *e)
{
	struct record *rec = job_fake_find(f, &lease->video_fid);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec || strcmp(rec->last.token, lease->token) != 0 ||
	    (rec->job.state != JOB_LEASED && rec->job.state != after))
		return err_set(e, ERR_CONFLICT, "the lease of job %s is lost",
			       lease->video_fid.hex);
	*ret_again = rec->job.state != JOB_LEASED;
	*ret = rec;
	return 0;
}

static double
within(double real, double most)
{
	return isfinite(real) ? fmin(fmax(real, 0), most) : 0;
}

int
job_fake_renew(struct job_life *s, const struct job_lease *lease, int64_t ms,
	       const struct job_progress *progress, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = NULL;
	int again, r = held(f, lease, JOB_LEASED, &rec, &again, e);

	if (!rec)
		return r;
	rec->job.lease.until_ms = job_fake_now(f) + ms;
	rec->job.progress = (struct job_progress){ within(progress->fraction, 1),
						   within(progress->speed, DBL_MAX),
						   within(progress->remaining_s, DBL_MAX) };
	rec->job.updated_ms = job_fake_now(f);
	return 0;
}

int
job_fake_finish(struct job_life *s, const struct job_lease *lease, const struct job_result *result,
		struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = NULL;
	int again, r = held(f, lease, JOB_DONE, &rec, &again, e);

	if (!rec)
		return r;
	if (again)
		return blob_id_equal(&rec->job.mp3_fid, &result->mp3_fid)
			       ? 0
			       : err_set(e, ERR_CONFLICT, "job %s has another output",
					 lease->video_fid.hex);
	job_fake_note_end(f, rec, JOB_END_DONE, NULL);
	rec->job.state = JOB_DONE;
	rec->job.mp3_fid = result->mp3_fid;
	rec->result_bytes = result->bytes;
	job_fake_forget(rec, &result->mp3_fid);
	rec->job.progress = (struct job_progress){ .fraction = 1 };
	rec->job.error = (struct job_error){ 0 };
	if (result->duration_s > 0)
		rec->job.source.duration_s = result->duration_s;
	rec->job.loudness = result->loudness;
	rec->job.warnings = result->warnings;
	rec->job.tracks = result->tracks;
	rec->job.result_published_ms = 0;
	rec->job.updated_ms = job_fake_now(f);
	return 0;
}

void
job_fake_note_end(const struct job_fake *f, struct record *rec, enum job_end end,
		  const struct job_error *why)
{
	struct job_attempt *last;

	if (rec->history_count == JOB_HISTORY_MAX)
		memmove(rec->history, rec->history + 1,
			--rec->history_count * sizeof rec->history[0]);
	last = &rec->history[rec->history_count++];
	*last = (struct job_attempt){ .began_ms = rec->began_ms,
				      .ended_ms = job_fake_now(f),
				      .end = end };
	memcpy(last->owner, rec->job.lease.owner, sizeof last->owner);
	if (why)
		memcpy(last->error, why->code, sizeof last->error);
	job_fake_legible(last->error);
}

static void
note_error(struct record *rec, const struct job_error *why)
{
	rec->job.error = *why;
	job_fake_legible(rec->job.error.code);
	job_fake_legible(rec->job.error.message);
}

int
job_fake_fail(struct job_life *s, const struct job_lease *lease, const struct job_error *why,
	      struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = NULL;
	int again, r = held(f, lease, JOB_FAILED, &rec, &again, e);

	if (!rec || again)
		return r;
	job_fake_note_end(f, rec, JOB_END_FAILED, why);
	rec->job.state = JOB_FAILED;
	note_error(rec, why);
	rec->job.result_published_ms = 0;
	rec->job.updated_ms = job_fake_now(f);
	return 0;
}

void
job_fake_requeue(const struct job_fake *f, struct record *rec, int64_t delay_ms)
{
	rec->job.state = JOB_QUEUED;
	rec->job.progress = (struct job_progress){ 0 };
	rec->job.video_published_ms = 0;
	rec->job.updated_ms = job_fake_now(f);
	rec->job.not_before_ms = job_fake_now(f) + delay_ms;
}

int
job_fake_retry(struct job_life *s, const struct job_lease *lease, const struct job_error *why,
	       int64_t delay_ms, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = NULL;
	int again, r = held(f, lease, JOB_QUEUED, &rec, &again, e);

	if (!rec || again)
		return r;
	job_fake_note_end(f, rec, JOB_END_RETRIED, why);
	note_error(rec, why);
	job_fake_requeue(f, rec, delay_ms);
	return 0;
}

int
job_fake_hand_back(struct job_life *s, const struct job_lease *lease, const struct job_error *why,
		   struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = NULL;
	int again, r = held(f, lease, JOB_QUEUED, &rec, &again, e);

	if (!rec || again)
		return r;
	job_fake_note_end(f, rec, JOB_END_HANDED_BACK, why);
	rec->job.attempts -= rec->job.attempts > 0;
	if (why)
		note_error(rec, why);
	job_fake_requeue(f, rec, 0);
	return 0;
}
