#include "fake/job/job_fake_private.h"

#include <string.h>

#include "base/text/str.h"

static int
job_fake_claim_notice(struct job_notice *s, const struct blob_id *video, const char *owner,
		      int64_t ms, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_notice(s);
	struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);
	bool over, mine;

	if (r < 0)
		return r;
	if (!rec)
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

static int
job_fake_mark_notified(struct job_notice *s, const struct job_message *message, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_notice(s);
	struct record *rec = job_fake_find(f, &message->video_fid);
	bool has_mp3 = !blob_id_is_none(&message->mp3_fid);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec)
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

static int
job_fake_was_notified(struct job_notice *n, const struct blob_id *video, struct err *e)
{
	SCOPED(job_fake_leave_p) struct job_fake *f = job_fake_enter_notice(n);
	const struct record *rec = job_fake_find(f, video);
	int r = job_fake_refusal(f, e);

	if (r < 0)
		return r;
	if (!rec)
		return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
	return rec->job.notified_ms != 0;
}

const struct job_notice_ops job_fake_notice = {
	.claim = job_fake_claim_notice,
	.mark_notified = job_fake_mark_notified,
	.was_notified = job_fake_was_notified,
};
