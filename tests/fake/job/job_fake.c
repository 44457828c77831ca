#include "fake/job/job_fake_private.h"

#include "base/text/str.h"

#define RECORDS_MAX 16384

static int
add(struct job_fake *f, const struct job *job, struct err *e)
{
	if (f->count == RECORDS_MAX)
		return err_set(e, ERR_UNAVAILABLE, "the fake ledger is full");
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		struct record *more = realloc(f->records, room * sizeof *more);

		if (!more)
			return err_set(e, ERR_NO_MEMORY, "ledger");
		f->records = more;
		f->room = room;
	}
	f->records[f->count] = (struct record){ .job = *job, .number = f->serial++ };
	f->count++;
	return 0;
}

static void
legible_source(struct job_source *source)
{
	job_fake_legible(source->filename);
	job_fake_legible(source->content_type);
}

static bool
is_user(const char *username)
{
	return *username && utf8_valid(username, strlen(username));
}

static int
fake_create(struct job_life *s, const struct job *job, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct job fresh = { .video_fid = job->video_fid,
			     .state = job->state,
			     .source = job->source,
			     .spec = job->spec };
	int r = job_fake_refusal(f, e);

	if (r < 0 || (r = media_spec_settle(&fresh.spec, e)) < 0)
		return r;
	if (blob_id_is_none(&job->video_fid) || !is_user(job->username) ||
	    (job->state != JOB_UPLOADING && job->state != JOB_QUEUED))
		return err_set(e, ERR_INVALID, "a new job needs an id, a user and a first state");
	if (job_fake_find(f, &job->video_fid))
		return err_set(e, ERR_CONFLICT, "video %s has a job", job->video_fid.hex);
	legible_source(&fresh.source);
	memcpy(fresh.username, job->username, sizeof fresh.username);
	fresh.created_ms = fresh.updated_ms = fresh.not_before_ms = job_fake_now(f);
	return add(f, &fresh, e);
}

static int
fake_enqueue(struct job_life *s, const struct blob_id *video, const struct job_source *source,
	     const struct media_spec *spec, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = job_fake_find(f, video);
	struct media_spec wanted = spec ? *spec : (struct media_spec){ 0 };
	int r = job_fake_refusal(f, e);

	if (r < 0 || (r = media_spec_settle(&wanted, e)) < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
	if (rec->job.state == JOB_CANCELED || rec->job.state == JOB_EXPIRED)
		return err_set(e, ERR_CONFLICT, "job %s has ended", video->hex);
	if (rec->job.state != JOB_UPLOADING)
		return 0;
	rec->job.state = JOB_QUEUED;
	rec->job.source = *source;
	if (spec)
		rec->job.spec = wanted;
	legible_source(&rec->job.source);
	rec->job.updated_ms = rec->job.not_before_ms = job_fake_now(f);
	return 0;
}

static int
fake_discard(struct job_life *s, const struct blob_id *video, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0 || !rec)
		return r;
	if (rec->job.state != JOB_UPLOADING)
		return err_set(e, ERR_CONFLICT, "job %s is uploaded", video->hex);
	*rec = f->records[--f->count];
	return 0;
}

static int
fake_adopt(struct job_life *s, const struct job_message *message, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct job fresh = { .video_fid = message->video_fid, .state = JOB_QUEUED };
	int r = job_fake_refusal(f, e);

	if (r < 0 || (r = media_spec_settle(&fresh.spec, e)) < 0)
		return r;
	if (blob_id_is_none(&message->video_fid) || !is_user(message->username))
		return err_set(e, ERR_INVALID, "a new job needs an id and a user");
	if (job_fake_find(f, &message->video_fid))
		return 0;
	memcpy(fresh.username, message->username, sizeof fresh.username);
	fresh.created_ms = fresh.updated_ms = fresh.not_before_ms = job_fake_now(f);
	fresh.video_published_ms = fresh.created_ms;
	return add(f, &fresh, e);
}

static int
fake_get(struct job_life *s, const struct blob_id *video, struct job *ret, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
	job_fake_give(rec, ret);
	return 0;
}

static int
fake_ping(struct job_life *s, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_life(s);

	return job_fake_refusal(f, e);
}

static void
fake_close(struct ledger *l)
{
	struct job_fake *f = CONTAINER_OF(l, struct job_fake, ledger);

	(void)pthread_mutex_destroy(&f->lock);
	free(f->records);
	free(f);
}

static const struct job_life_ops fake_life = {
	.create = fake_create,
	.enqueue = fake_enqueue,
	.discard = fake_discard,
	.adopt = fake_adopt,
	.get = fake_get,
	.list_waiting = job_fake_list_waiting,
	.lease_oldest = job_fake_lease_oldest,
	.lease_one = job_fake_lease_one,
	.list_outputs = job_fake_list_outputs,
	.renew = job_fake_renew,
	.finish = job_fake_finish,
	.fail = job_fake_fail,
	.retry = job_fake_retry,
	.hand_back = job_fake_hand_back,
	.ping = fake_ping,
};

static struct job_fake *
enter(struct ledger *l)
{
	return job_fake_enter(CONTAINER_OF(l, struct job_fake, ledger));
}

void
job_fake_break(struct ledger *l, int code)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = enter(l);

	f->calls--;
	f->broken = code;
}

void
job_fake_break_nth(struct ledger *l, int n, int code)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = enter(l);

	f->calls--;
	f->broken_in = n;
	f->broken_once = code;
}

int
job_fake_calls(struct ledger *l)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = enter(l);

	return --f->calls;
}

int
job_fake_new(const struct clock *clock, struct ledger **ret, struct err *e)
{
	SCOPED_FREE struct job_fake *f = calloc(1, sizeof *f);

	if (!f)
		return err_set(e, ERR_NO_MEMORY, "ledger");
	f->ledger = (struct ledger){
		.close = fake_close,
		.life = { &fake_life },
		.outbox = { &job_fake_outbox },
		.notice = { &job_fake_notice },
		.desk = { &job_fake_desk },
		.leftover = { &job_fake_leftover },
	};
	f->clock = clock ? clock : clock_system();
	(void)pthread_mutex_init(&f->lock, NULL);
	*ret = &TAKE(f)->ledger;
	return 0;
}
