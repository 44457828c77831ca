#include "converter/removal.h"

static int
removal_of(const struct removal *r, const struct job *job, enum job_left which, struct err *e)
{
	bool video = which == JOB_LEFT_VIDEO;
	struct blob_store *store = video ? r->videos : r->mp3s;
	const struct blob_id *blob = video ? &job->video_fid : &job->mp3_fid;
	int failed;

	if (blob_id_is_none(blob))
		return 0;
	if (job->state != JOB_EXPIRED &&
	    (failed = job_expire(&r->ledger->leftover, job, which, e)) < 0)
		return failed;
	if ((failed = blob_remove(store, blob, e)) < 0)
		return failed;
	return job_settle(&r->ledger->leftover, &job->video_fid, which, blob, e);
}

int
removal_run(const struct removal *r, const struct blob_id *video, struct err *e)
{
	struct job job;
	int failed = job_get(&r->ledger->life, video, &job, e);

	if (failed < 0)
		return failed;
	if (!job_state_is_final(job.state))
		return err_set(e, ERR_CONFLICT, "job %s is %s: only what has ended is deleted",
			       video->hex, job_state_name(job.state));
	if ((failed = removal_of(r, &job, JOB_LEFT_VIDEO, e)) < 0)
		return failed;
	return removal_of(r, &job, JOB_LEFT_AUDIO, e);
}
