/* A job's beginning: registered, uploaded, or taken over from a message. */
#include "adapter/mongo_jobs/private.h"

#include "base/text/str.h"

/* Text of the source that any BSON string may hold. */
static struct job_source
create_storable(const struct job_source *source)
{
	struct job_source s = { .bytes = source->bytes, .duration_s = source->duration_s };

	mongo_jobs_text(s.filename, sizeof s.filename, source->filename);
	mongo_jobs_text(s.content_type, sizeof s.content_type, source->content_type);
	return s;
}

static int
create_check(const struct job *job, struct err *e)
{
	if (job->state != JOB_UPLOADING && job->state != JOB_QUEUED)
		return err_set(e, ERR_INVALID, "a new job is uploading or queued");
	if (job->username[0] == '\0' || !utf8_valid(job->username, strlen(job->username)))
		return err_set(e, ERR_INVALID, "a new job needs a user");
	return 0;
}

/* clang-format off */
#define SOURCE(s)                                                                                  \
	"{",                                                                                       \
		"filename", JOB_TEXT((s)->filename),                                               \
		"content_type", JOB_TEXT((s)->content_type),                                       \
		"bytes", BCON_INT64((s)->bytes),                                                   \
		"duration_s", BCON_DOUBLE((s)->duration_s),                                        \
	"}"

static bson_t *
create_document(const struct job *job, const char *published)
{
	SCOPED(mongo_jobs_bson_free) bson_t *spec = mongo_jobs_spec_new(&job->spec);

	return BCON_NEW(
		"0", "{", "$set", "{",
			"username", JOB_TEXT(job->username),
			"state", BCON_UTF8(job_state_name(job->state)),
			"source", SOURCE(&job->source),
			"spec", "{", "$literal", BCON_DOCUMENT(spec), "}",
			"attempts", BCON_INT32(0),
			"progress", BCON_DOUBLE(0),
			"not_before", JOB_NOW,
			"created_at", JOB_NOW,
			"updated_at", JOB_NOW,
			"video_published_at", BCON_UTF8(published),
		"}", "}");
}

static bson_t *
create_queued(const struct job_source *source, const struct media_spec *spec)
{
	SCOPED(mongo_jobs_bson_free) bson_t *wanted = spec ? mongo_jobs_spec_new(spec) : bson_new();

	return BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("queued"),
			"source", SOURCE(source),
			"spec", "{", "$cond", "[",
				BCON_BOOL(spec != NULL),
				"{", "$literal", BCON_DOCUMENT(wanted), "}",
				BCON_UTF8("$spec"),
			"]", "}",
			"not_before", JOB_NOW,
			"updated_at", JOB_NOW,
		"}", "}");
}
/* clang-format on */

/* The filter matches no document that exists, so that the server inserts, or reports a duplicate:
 * an insertion that takes its times from the server. */
static int
create_insert(struct mongo_jobs *m, const struct job *job, const char *published, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *document = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *options = BCON_NEW("upsert", BCON_BOOL(true));
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	struct job fresh = *job;
	bson_error_t error;
	bson_oid_t id;
	int r;

	fresh.source = create_storable(&job->source);
	if ((r = create_check(job, e)) < 0 || (r = media_spec_settle(&fresh.spec, e)) < 0 ||
	    (r = mongo_jobs_oid(&job->video_fid, &id, e)) < 0 ||
	    (r = mongo_jobs_session_begin(m, &session, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", "{", "$exists", BCON_BOOL(false), "}");
	document = create_document(&fresh, published);
	if (mongoc_collection_update_one(session.jobs, filter, document, options, NULL, &error))
		return 0;
	if (error.code == MONGOC_ERROR_DUPLICATE_KEY)
		return err_set(e, ERR_CONFLICT, "video %s has a job", job->video_fid.hex);
	return mongo_jobs_err(e, &error, "create job");
}

int
mongo_jobs_create(struct job_life *l, const struct job *job, struct err *e)
{
	return create_insert(mongo_jobs_of_life(l), job, "$$REMOVE", e);
}

int
mongo_jobs_adopt(struct job_life *l, const struct job_message *message, struct err *e)
{
	struct job job = { .video_fid = message->video_fid, .state = JOB_QUEUED };
	int r;

	memcpy(job.username, message->username, sizeof job.username);
	r = create_insert(mongo_jobs_of_life(l), &job, "$$NOW", e);
	return r == ERR_CONFLICT ? 0 : r;
}

/* What the upload asked for has happened, unless the job was taken from it: an answer may have been
 * lost, and a converter is quick. */
static int
create_queued_before(struct mongo_jobs *m, const bson_oid_t *id, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = BCON_NEW("_id", BCON_OID(id));
	struct job job;
	int r = mongo_jobs_find_one(m, filter, &job, e);

	if (r == ERR_NOT_FOUND)
		return err_set(e, r, "no such job");
	if (r < 0)
		return r;
	if (job.state == JOB_CANCELED || job.state == JOB_EXPIRED)
		return err_set(e, ERR_CONFLICT, "job %s has ended", job.video_fid.hex);
	return 0;
}

int
mongo_jobs_enqueue(struct job_life *l, const struct blob_id *video, const struct job_source *given,
		   const struct media_spec *spec, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	struct mongo_jobs *m = mongo_jobs_of_life(l);
	struct job_source source = create_storable(given);
	struct media_spec wanted = { 0 };
	bson_oid_t id;
	int r;

	if (spec)
		wanted = *spec;
	if ((r = media_spec_settle(&wanted, e)) < 0 || (r = mongo_jobs_oid(video, &id, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8("uploading"));
	set = create_queued(&source, spec ? &wanted : NULL);
	r = mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND ? create_queued_before(m, &id, e) : r;
}

int
mongo_jobs_discard(struct job_life *l, const struct blob_id *video, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *any = NULL;
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	struct mongo_jobs *m = mongo_jobs_of_life(l);
	bson_error_t error;
	bson_oid_t id;
	struct job job;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0 ||
	    (r = mongo_jobs_session_begin(m, &session, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8("uploading"));
	if (!mongoc_collection_delete_one(session.jobs, filter, NULL, NULL, &error))
		return mongo_jobs_err(e, &error, "discard job");
	mongo_jobs_session_end(&session);
	any = BCON_NEW("_id", BCON_OID(&id));
	r = mongo_jobs_find_one(m, any, &job, e);
	if (r == ERR_NOT_FOUND)
		return 0;
	return r < 0 ? r : err_set(e, ERR_CONFLICT, "job %s is uploaded", video->hex);
}
