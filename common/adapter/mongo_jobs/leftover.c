/* What is left of jobs, for the janitor: listed, marked before a blob goes, settled after. */
#include "adapter/mongo_jobs/private.h"

#define LISTED_AT_ONCE 100

/* clang-format off */
#define OLDER(time, age_ms)                                                                        \
	"$expr", "{", "$lt", "[", BCON_UTF8("$" time), JOB_AGO(age_ms), "]", "}"
#define PUBLISHED "result_published_at", "{", "$exists", BCON_BOOL(true), "}"
#define VIDEO_UNSETTLED                                                                            \
	"video_settled_at", JOB_ANY(BCON_NULL, BCON_BOOL(false)),                                  \
	"state", JOB_ANY(BCON_UTF8("done"), BCON_UTF8("failed"), BCON_UTF8("expired"))
#define AUDIO_UNSETTLED                                                                            \
	"audio_settled_at", BCON_NULL,                                                             \
	"state", JOB_ANY(BCON_UTF8("done"), BCON_UTF8("expired"))
/* An upload that a janitor gave up: its job has never had a result. */
#define GIVEN_UP "state", BCON_UTF8("expired"), "result_published_at", BCON_NULL

static bson_t *
leftover_filter(enum job_left which, int64_t age_ms)
{
	switch (which) {
	case JOB_LEFT_UPLOAD:
		return BCON_NEW(
			"$or", "[",
				"{", "state", BCON_UTF8("uploading"), OLDER("created_at", age_ms), "}",
				"{", GIVEN_UP, "}",
			"]");
	case JOB_LEFT_OUTPUT:
		return BCON_NEW(
			"outputs", "{", "$exists", BCON_BOOL(true), "}",
			"state", "{", "$ne", BCON_UTF8("leased"), "}",
			OLDER("updated_at", age_ms));
	case JOB_LEFT_VIDEO:
		return BCON_NEW(VIDEO_UNSETTLED, PUBLISHED, OLDER("updated_at", age_ms));
	case JOB_LEFT_AUDIO:
		return BCON_NEW(AUDIO_UNSETTLED, PUBLISHED, OLDER("updated_at", age_ms));
	}
	return NULL;
}
/* clang-format on */

struct leftover_visit {
	const struct job *job;
	enum job_left which;
	job_left_fn fn;
	void *arg;
};

static int
leftover_visit_output(void *arg, const struct blob_id *output, struct err *e)
{
	const struct leftover_visit *v = arg;

	return v->fn(v->job, output, v->arg, e);
}

static int
leftover_visit(struct leftover_visit *v, const bson_t *doc, struct err *e)
{
	struct job job;
	struct leftover_visit of_job = { &job, v->which, v->fn, v->arg };
	int r = mongo_jobs_read(doc, &job, e);

	if (r < 0)
		return r;
	if (v->which == JOB_LEFT_OUTPUT)
		return mongo_jobs_each_output(doc, leftover_visit_output, &of_job, e);
	return v->fn(&job, v->which == JOB_LEFT_AUDIO ? &job.mp3_fid : &job.video_fid, v->arg, e);
}

static int
mongo_jobs_each_leftover(struct job_leftover *l, enum job_left which, int64_t age_ms,
			 job_left_fn fn, void *arg, struct err *e)
{
	struct leftover_visit v = { NULL, which, fn, arg };
	SCOPED(mongo_jobs_bson_free) bson_t *filter = leftover_filter(which, age_ms);
	SCOPED(mongo_jobs_bson_free)
	bson_t *options = BCON_NEW("batchSize", BCON_INT32(LISTED_AT_ONCE));
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	SCOPED(mongo_jobs_cursor_free) mongoc_cursor_t *cursor = NULL;
	bson_error_t error;
	const bson_t *doc;
	int r;

	if ((r = mongo_jobs_session_begin(mongo_jobs_of_leftover(l), &session, e)) < 0)
		return r;
	cursor = mongoc_collection_find_with_opts(session.jobs, filter, options, NULL);
	while (mongoc_cursor_next(cursor, &doc))
		if ((r = leftover_visit(&v, doc, e)) < 0)
			return r;
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "list leftovers");
	return 0;
}

static int
mongo_jobs_expire(struct job_leftover *l, const struct job *job, enum job_left which, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(&job->video_fid, &id, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8(job_state_name(job->state)),
			  "updated_at", BCON_DATE_TIME(job->updated_ms));
	if (which == JOB_LEFT_VIDEO)
		set = BCON_NEW("0", "{", "$set", "{", "video_settled_at", BCON_BOOL(false), "}",
			       "}");
	else
		set = BCON_NEW("0", "{", "$set", "{", "state", BCON_UTF8("expired"), "}", "}");
	r = mongo_jobs_change(mongo_jobs_of_leftover(l),
			      &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND ? err_set(e, ERR_CONFLICT, "job %s moved on", job->video_fid.hex)
				  : r;
}

static int
leftover_forget_upload(struct mongo_jobs *m, const bson_oid_t *id, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = BCON_NEW("_id", BCON_OID(id), GIVEN_UP);
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	bson_error_t error;
	int r;

	if ((r = mongo_jobs_session_begin(m, &session, e)) < 0)
		return r;
	if (!mongoc_collection_delete_one(session.jobs, filter, NULL, NULL, &error))
		return mongo_jobs_err(e, &error, "forget upload");
	return 0;
}

static int
mongo_jobs_settle(struct job_leftover *l, const struct blob_id *video, enum job_left which,
		  const struct blob_id *blob, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	struct mongo_jobs *m = mongo_jobs_of_leftover(l);
	bson_oid_t id, output;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0)
		return r;
	switch (which) {
	case JOB_LEFT_UPLOAD:
		return leftover_forget_upload(m, &id, e);
	case JOB_LEFT_OUTPUT:
		if ((r = mongo_jobs_oid(blob, &output, e)) < 0)
			return r;
		filter = BCON_NEW("_id", BCON_OID(&id), "outputs", BCON_OID(&output));
		set = BCON_NEW("0", "{", "$set", "{", "outputs", JOB_OUTPUTS_WITHOUT(&output), "}",
			       "}");
		break;
	case JOB_LEFT_VIDEO:
		filter = BCON_NEW("_id", BCON_OID(&id), VIDEO_UNSETTLED);
		set = BCON_NEW("0", "{", "$set", "{", "video_settled_at", JOB_NOW, "}", "}");
		break;
	case JOB_LEFT_AUDIO:
		filter = BCON_NEW("_id", BCON_OID(&id), AUDIO_UNSETTLED);
		set = BCON_NEW("0", "{", "$set", "{", "audio_settled_at", JOB_NOW, "}", "}");
		break;
	}
	r = mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND ? 0 : r;
}

static int
mongo_jobs_is_registered(struct job_leftover *l, const struct blob_id *blob, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	struct job job;
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(blob, &id, e)) < 0)
		return r;
	filter = BCON_NEW("$or", "[", "{", "_id", BCON_OID(&id), "}", "{", "outputs", BCON_OID(&id),
			  "}", "]");
	r = mongo_jobs_find_one(mongo_jobs_of_leftover(l), filter, &job, e);
	return r == ERR_NOT_FOUND ? err_set(e, r, "no job has registered %s", blob->hex) : r;
}

const struct job_leftover_ops mongo_jobs_leftover = {
	.each = mongo_jobs_each_leftover,
	.expire = mongo_jobs_expire,
	.settle = mongo_jobs_settle,
	.is_registered = mongo_jobs_is_registered,
};
