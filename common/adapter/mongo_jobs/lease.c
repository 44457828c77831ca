/* A lease's life: each write names its token. The ended lease stays in the document, so that a
 * repeat whose first answer was lost is recognised as done. */
#include "adapter/mongo_jobs/private.h"

#include <float.h>
#include <math.h>

#define ERROR(why) "{", "code", JOB_TEXT((why)->code), "message", JOB_TEXT((why)->message), "}"

static struct job_error
lease_storable(const struct job_error *why)
{
	struct job_error error;

	mongo_jobs_text(error.code, sizeof error.code, why->code);
	mongo_jobs_text(error.message, sizeof error.message, why->message);
	return error;
}

static bson_t *
lease_filter(const bson_oid_t *id, enum job_state state, const struct job_lease *lease)
{
	return BCON_NEW("_id", BCON_OID(id), "state", BCON_UTF8(job_state_name(state)),
			"lease.token", BCON_UTF8(lease->token));
}

/* Applies set (owned by the caller) to the job that the lease holds. When it holds none: 0 as well
 * when the lease has brought the job to after already; CONFLICT if not. */
static int
lease_end(struct job_life *l, const struct job_lease *lease, enum job_state after,
	  const bson_t *set, struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *held = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *ended = NULL;
	struct mongo_jobs *m = mongo_jobs_of_life(l);
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(&lease->video_fid, &id, e)) < 0)
		return r;
	held = lease_filter(&id, JOB_LEASED, lease);
	r = mongo_jobs_change(m, &(struct mongo_jobs_change){ held, set, NULL }, ret, e);
	if (r != ERR_NOT_FOUND)
		return r;
	ended = lease_filter(&id, after, lease);
	r = mongo_jobs_find_one(m, ended, ret, e);
	if (r == ERR_NOT_FOUND)
		return err_set(e, ERR_CONFLICT, "the lease of job %s is lost",
			       lease->video_fid.hex);
	return r;
}

static double
lease_number(double real, double most)
{
	return isfinite(real) ? fmin(fmax(real, 0), most) : 0;
}

/* Speed and what remains are the lease's: they go with it. */
int
mongo_jobs_renew(struct job_life *l, const struct job_lease *lease, int64_t ms,
		 const struct job_progress *progress, struct err *e)
{
	double fraction = lease_number(progress->fraction, 1);
	double speed = lease_number(progress->speed, DBL_MAX);
	double remaining_s = lease_number(progress->remaining_s, DBL_MAX);
	struct job job;

	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"lease.until", JOB_NOW_AND(ms),
			"progress", BCON_DOUBLE(fraction),
			"lease.speed", BCON_DOUBLE(speed),
			"lease.remaining_s", BCON_DOUBLE(remaining_s),
			"updated_at", JOB_NOW,
		"}", "}");
	/* clang-format on */
	return lease_end(l, lease, JOB_LEASED, set, &job, e);
}

/* Only what is known; an empty document when nothing is. */
static bson_t *
lease_loudness(const struct job_loudness *l)
{
	bson_t *doc = bson_new();

	if (l->has_integrated && isfinite(l->integrated_lufs))
		BSON_APPEND_DOUBLE(doc, "integrated_lufs", l->integrated_lufs);
	if (l->has_range && isfinite(l->range_lu))
		BSON_APPEND_DOUBLE(doc, "range_lu", l->range_lu);
	if (l->has_true_peak && isfinite(l->true_peak_dbtp))
		BSON_APPEND_DOUBLE(doc, "true_peak_dbtp", l->true_peak_dbtp);
	return doc;
}

static bson_t *
lease_done(const struct job_result *result, const bson_oid_t *mp3)
{
	SCOPED(mongo_jobs_bson_free) bson_t *loudness = lease_loudness(&result->loudness);
	SCOPED(mongo_jobs_bson_free) bson_t *warnings = mongo_jobs_warnings_new(&result->warnings);
	SCOPED(mongo_jobs_bson_free) bson_t *tracks = mongo_jobs_tracks_new(&result->tracks);
	bool known = isfinite(result->duration_s) && result->duration_s > 0;

	/* clang-format off */
	return BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("done"),
			"mp3_fid", BCON_OID(mp3),
			"progress", BCON_DOUBLE(1),
			"error", JOB_REMOVE,
			"updated_at", JOB_NOW,
			"result_published_at", JOB_REMOVE,
			"source.duration_s", "{", "$cond", "[",
				BCON_BOOL(known),
				BCON_DOUBLE(known ? result->duration_s : 0),
				BCON_UTF8("$source.duration_s"),
			"]", "}",
			"loudness", "{", "$cond", "[",
				BCON_BOOL(!bson_empty(loudness)),
				"{", "$literal", BCON_DOCUMENT(loudness), "}",
				JOB_REMOVE,
			"]", "}",
			"result.bytes", BCON_INT64(result->bytes),
			"result.warnings", "{", "$literal", BCON_ARRAY(warnings), "}",
			"result.tracks", "{", "$literal", BCON_ARRAY(tracks), "}",
			"outputs", JOB_OUTPUTS_WITHOUT(mp3),
			"history", JOB_HISTORY_WITH("done", JOB_REMOVE),
		"}", "}");
	/* clang-format on */
}

int
mongo_jobs_finish(struct job_life *l, const struct job_lease *lease,
		  const struct job_result *result, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	struct job job;
	bson_oid_t mp3;
	int r;

	if ((r = mongo_jobs_oid(&result->mp3_fid, &mp3, e)) < 0)
		return r;
	set = lease_done(result, &mp3);
	if ((r = lease_end(l, lease, JOB_DONE, set, &job, e)) < 0)
		return r;
	if (!blob_id_equal(&job.mp3_fid, &result->mp3_fid))
		return err_set(e, ERR_CONFLICT, "job %s has another output", lease->video_fid.hex);
	return 0;
}

int
mongo_jobs_fail(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
		struct err *e)
{
	struct job_error error = lease_storable(why);
	struct job job;

	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("failed"),
			"error", ERROR(&error),
			"history", JOB_HISTORY_WITH("failed", JOB_TEXT(error.code)),
			"updated_at", JOB_NOW,
			"result_published_at", JOB_REMOVE,
		"}", "}");
	/* clang-format on */
	return lease_end(l, lease, JOB_FAILED, set, &job, e);
}

int
mongo_jobs_retry(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
		 int64_t delay_ms, struct err *e)
{
	struct job_error error = lease_storable(why);
	struct job job;

	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("queued"),
			"error", ERROR(&error),
			"history", JOB_HISTORY_WITH("retried", JOB_TEXT(error.code)),
			"progress", BCON_DOUBLE(0),
			"not_before", JOB_NOW_AND(delay_ms),
			"updated_at", JOB_NOW,
			"video_published_at", JOB_REMOVE,
		"}", "}");
	/* clang-format on */
	return lease_end(l, lease, JOB_QUEUED, set, &job, e);
}

int
mongo_jobs_hand_back(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
		     struct err *e)
{
	struct job_error error = why ? lease_storable(why) : (struct job_error){ 0 };
	struct job job;

	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("queued"),
			"attempts", "{", "$max", "[",
				BCON_INT32(0),
				"{", "$subtract", "[", BCON_UTF8("$attempts"), BCON_INT32(1), "]", "}",
			"]", "}",
			"error", "{", "$cond", "[",
				BCON_BOOL(why != NULL), ERROR(&error), BCON_UTF8("$error"),
			"]", "}",
			"history", JOB_HISTORY_WITH("handed_back", JOB_TEXT(error.code)),
			"progress", BCON_DOUBLE(0),
			"not_before", JOB_NOW,
			"updated_at", JOB_NOW,
			"video_published_at", JOB_REMOVE,
		"}", "}");
	/* clang-format on */
	return lease_end(l, lease, JOB_QUEUED, set, &job, e);
}
