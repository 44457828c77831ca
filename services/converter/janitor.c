#include "converter/janitor.h"

struct janitor {
	const struct janitor_config *config;
	struct janitor_report *report;
	enum job_left which; /* what is listed now */
	int64_t now_ms;      /* by the writers' kind of clock: when the run began */
	struct err first;    /* error of one thing, which did not end the run */
};

/* What lies in a store under one id. */
struct find {
	bool is_blob, is_ours;
	int64_t chunks, bytes, newest_ms;
};

static int
janitor_look(struct blob_store *store, const struct blob_id *id, struct find *ret, struct err *e)
{
	SCOPED(blob_reader_close_p) struct blob_reader *reader = NULL;
	struct blob_leftover left = { 0 };
	int r = blob_open(store, id, &reader, e);

	if (r == 0) {
		const struct blob_info *info = &reader->info;

		*ret = (struct find){ true,
				      info->meta.owner[0] ||
					      !blob_id_is_none(&info->meta.video_fid),
				      0, info->length, info->uploaded_ms };
		return 0;
	}
	if (r == ERR_NOT_FOUND)
		r = blob_leftover(store, id, &left, e);
	/* nothing there, or committed just now: by a writer that is at work */
	if (r == ERR_CONFLICT)
		left.newest_ms = INT64_MAX;
	else if (r < 0 && r != ERR_NOT_FOUND)
		return r;
	*ret = (struct find){ .chunks = left.chunks, .newest_ms = left.newest_ms };
	return 0;
}

static void
janitor_count(struct janitor *j, enum janitor_kind kind, const struct find *found)
{
	j->report->kinds[kind].removed++;
	j->report->kinds[kind].chunks += found->chunks;
	j->report->kinds[kind].bytes += found->bytes;
}

/* The sender may be slow: its newest chunk tells whether it is still there. An upload that was
 * given up before (expired) is past that question. */
static int
janitor_sweep_upload(struct janitor *j, const struct job *job, const struct blob_id *video,
		     struct err *e)
{
	const struct janitor_config *c = j->config;
	struct find found;
	int r;

	if ((r = janitor_look(c->videos, video, &found, e)) < 0)
		return r;
	if (job->state == JOB_UPLOADING && found.newest_ms > j->now_ms - c->grace_ms)
		return err_set(e, ERR_CONFLICT, "in use");
	if (!c->dry_run && ((r = job_expire(c->jobs, job, JOB_LEFT_UPLOAD, e)) < 0 ||
			    (r = blob_remove(c->videos, video, e)) < 0 ||
			    (r = job_settle(c->jobs, video, JOB_LEFT_UPLOAD, video, e)) < 0))
		return r;
	janitor_count(j, JANITOR_UPLOADS, &found);
	return 0;
}

/* An output that became a blob, and whose job has another result by now: too late to be adopted.
 * While an attempt may follow it waits to be adopted. */
static int
janitor_sweep_late_output(struct janitor *j, const struct job *job, const struct blob_id *output,
			  struct err *e)
{
	const struct janitor_config *c = j->config;
	struct find found;
	int r;

	if (!job_state_is_over(job->state))
		return err_set(e, ERR_CONFLICT, "in use");
	if (blob_id_equal(output, &job->mp3_fid))
		return 0;
	if ((r = janitor_look(c->mp3s, output, &found, e)) < 0 ||
	    (!c->dry_run && (r = blob_remove(c->mp3s, output, e)) < 0))
		return r;
	janitor_count(j, JANITOR_OUTPUTS, &found);
	return 0;
}

static int
janitor_sweep_output(struct janitor *j, const struct job *job, const struct blob_id *output,
		     struct err *e)
{
	const struct janitor_config *c = j->config;
	struct blob_leftover left = { 0 };
	int r = blob_leftover(c->mp3s, output, &left, e);

	if (r < 0 && r != ERR_NOT_FOUND && r != ERR_CONFLICT)
		return r;
	if (r == 0 && left.newest_ms > j->now_ms - c->grace_ms)
		return err_set(e, ERR_CONFLICT, "in use");
	if (r == 0 && !c->dry_run && (r = blob_clear(c->mp3s, output, e)) < 0)
		return r;
	if (r == ERR_CONFLICT && (r = janitor_sweep_late_output(j, job, output, e)) < 0)
		return r;
	if (left.chunks > 0)
		janitor_count(j, JANITOR_OUTPUTS, &(struct find){ .chunks = left.chunks });
	return c->dry_run ? 0 : job_settle(c->jobs, &job->video_fid, JOB_LEFT_OUTPUT, output, e);
}

/* A blob of MsgQ's is settled without having gone: it is not looked at again. */
static int
janitor_sweep_expired(struct janitor *j, const struct job *job, const struct blob_id *blob,
		      struct err *e)
{
	const struct janitor_config *c = j->config;
	bool video = j->which == JOB_LEFT_VIDEO;
	struct blob_store *store = video ? c->videos : c->mp3s;
	struct find found;
	bool stays;
	int r;

	if ((r = janitor_look(store, blob, &found, e)) < 0)
		return r;
	stays = found.is_blob && !found.is_ours;
	if (!c->dry_run && !stays &&
	    ((r = job_expire(c->jobs, job, j->which, e)) < 0 ||
	     (r = blob_remove(store, blob, e)) < 0))
		return r;
	if (!c->dry_run && (r = job_settle(c->jobs, &job->video_fid, j->which, blob, e)) < 0)
		return r;
	if (stays)
		j->report->foreign++;
	else if (found.is_blob)
		janitor_count(j, video ? JANITOR_VIDEOS : JANITOR_AUDIOS, &found);
	return 0;
}

/* What one thing came to. Only a server that is away ends the run. */
static int
janitor_judge(struct janitor *j, int r, struct err *e)
{
	if (r == ERR_CONFLICT)
		j->report->in_use++;
	if (r == 0 || r == ERR_CONFLICT)
		return 0;
	j->report->failed++;
	if (err_is_transient(r))
		return r;
	if (j->first.code == 0)
		j->first = *e;
	return 0;
}

static int
janitor_sweep(const struct job *job, const struct blob_id *blob, void *arg, struct err *e)
{
	struct janitor *j = arg;
	struct err one = ERR_NONE;
	int r = 0;

	switch (j->which) {
	case JOB_LEFT_UPLOAD:
		r = janitor_sweep_upload(j, job, blob, &one);
		break;
	case JOB_LEFT_OUTPUT:
		r = janitor_sweep_output(j, job, blob, &one);
		break;
	case JOB_LEFT_VIDEO:
	case JOB_LEFT_AUDIO:
		r = janitor_sweep_expired(j, job, blob, &one);
		break;
	}
	if ((r = janitor_judge(j, r, &one)) < 0)
		return err_set(e, r, "job %s: %s", job->video_fid.hex, one.text);
	return 0;
}

static int
janitor_sweep_foreign_id(struct janitor *j, struct blob_store *store, const struct blob_id *id,
			 struct err *e)
{
	const struct janitor_config *c = j->config;
	struct blob_leftover left;
	int r = blob_leftover(store, id, &left, e);

	if (r == ERR_CONFLICT || r == ERR_NOT_FOUND)
		return 0; /* a blob, or gone by now */
	if (r < 0)
		return r;
	if ((r = job_is_registered(c->jobs, id, e)) != ERR_NOT_FOUND)
		return r;
	if (left.newest_ms > j->now_ms - JANITOR_FOREIGN_MS)
		return err_set(e, ERR_CONFLICT, "in use");
	if (!c->dry_run && (r = blob_clear(store, id, e)) < 0)
		return r;
	janitor_count(j, JANITOR_FOREIGN, &(struct find){ .chunks = left.chunks });
	return 0;
}

static int
janitor_sweep_foreign(struct janitor *j, struct blob_store *store, struct err *e)
{
	struct blob_id id = { "" };
	int r;

	while ((r = blob_next_id(store, &id, &id, e)) == 0) {
		struct err one = ERR_NONE;

		if ((r = janitor_judge(j, janitor_sweep_foreign_id(j, store, &id, &one), &one)) < 0)
			return err_set(e, r, "chunks of %s: %s", id.hex, one.text);
	}
	return r == ERR_NOT_FOUND ? 0 : r;
}

const char *
janitor_kind_name(enum janitor_kind kind)
{
	switch (kind) {
	case JANITOR_UPLOADS:
		return "uploads";
	case JANITOR_OUTPUTS:
		return "outputs";
	case JANITOR_VIDEOS:
		return "videos";
	case JANITOR_AUDIOS:
		return "mp3s";
	case JANITOR_FOREIGN:
		return "foreign";
	}
	return "";
}

int
janitor_run(const struct janitor_config *config, struct janitor_report *report, struct err *e)
{
	const struct {
		enum job_left which;
		int64_t age_ms; /* 0 = not at all */
	} rounds[] = {
		{ JOB_LEFT_UPLOAD, config->grace_ms },
		{ JOB_LEFT_OUTPUT, config->grace_ms },
		{ JOB_LEFT_VIDEO, config->retention_video_ms },
		{ JOB_LEFT_AUDIO, config->retention_audio_ms },
	};
	struct janitor j = { .config = config,
			     .report = report,
			     .now_ms = clock_unix_ms(config->clock) };
	int r = 0;

	*report = (struct janitor_report){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(rounds) && r == 0; i++) {
		j.which = rounds[i].which;
		if (rounds[i].age_ms > 0)
			r = job_each_leftover(config->jobs, j.which, rounds[i].age_ms,
					      janitor_sweep, &j, e);
	}
	if (r == 0 && config->foreign)
		r = janitor_sweep_foreign(&j, config->videos, e);
	if (r == 0 && config->foreign)
		r = janitor_sweep_foreign(&j, config->mp3s, e);
	if (r == 0 && j.first.code != 0)
		return err_set(e, j.first.code, "%s", j.first.text);
	return r;
}
