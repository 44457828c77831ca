/* Who announces a job's result, and that it was announced. */
#include "adapter/mongo_jobs/private.h"

#define NOTICE_RAN_OUT "$expr", "{", "$lt", "[", BCON_UTF8("$notice.until"), JOB_NOW, "]", "}"
#define NOTICE_UNTIL(ms) "until", "{", "$add", "[", JOB_NOW, BCON_INT64(ms), "]", "}"

static int
take_notice(struct mongo_jobs *m, const bson_oid_t *id, const char *owner, int64_t ms,
	    struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter =
		BCON_NEW("_id", BCON_OID(id), "notified_at", BCON_NULL, "$or", "[", "{",
			 "notice.owner", "{", "$in", "[", BCON_NULL, BCON_UTF8(owner), "]", "}",
			 "}", "{", "notice.contested", BCON_BOOL(true), NOTICE_RAN_OUT, "}", "]");
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW("0", "{", "$set", "{", "notice", "{", "owner", JOB_TEXT(owner),
			       "contested", BCON_BOOL(false), NOTICE_UNTIL(ms), "}", "}", "}");

	return mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
}

/* From here on the holder has another ms, in which the server is there. */
static int
contest_notice(struct mongo_jobs *m, const bson_oid_t *id, int64_t ms, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW("_id", BCON_OID(id), "notified_at", BCON_NULL, "notice.contested",
				  BCON_BOOL(false), NOTICE_RAN_OUT);
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW("0", "{", "$set", "{", "notice", "{", "contested", BCON_BOOL(true),
			       NOTICE_UNTIL(ms), "}", "}", "}");

	return mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
}

static int
mongo_jobs_claim_notice(struct job_notice *s, const struct blob_id *video, const char *owner,
			int64_t ms, struct err *e)
{
	struct mongo_jobs *m = mongo_jobs_of_notice(s);
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0 ||
	    (r = take_notice(m, &id, owner, ms, e)) != ERR_NOT_FOUND)
		return r;
	r = contest_notice(m, &id, ms, e);
	return r == 0 || r == ERR_NOT_FOUND
		       ? mongo_jobs_exists_or(m, &id, ERR_CONFLICT, "is announced by another", e)
		       : r;
}

/* A queued or leased job whose mp3 exists was MsgQ's converter's work. */
#define IF_TAKEN_OVER(value, otherwise)                                                            \
	"{", "$cond", "[", "{", "$in", "[", BCON_UTF8("$state"), "[", BCON_UTF8("queued"),         \
		BCON_UTF8("leased"), "]", "]", "}", value, otherwise, "]", "}"

static bson_t *
announcing_mp3(const bson_oid_t *mp3)
{
	return BCON_NEW("0", "{", "$set", "{", "mp3_fid",
			IF_TAKEN_OVER(BCON_OID(mp3), BCON_UTF8("$mp3_fid")), "state",
			IF_TAKEN_OVER(BCON_UTF8("done"), BCON_UTF8("$state")), "progress",
			IF_TAKEN_OVER(BCON_DOUBLE(1), BCON_UTF8("$progress")), "error",
			IF_TAKEN_OVER(BCON_UTF8("$$REMOVE"), BCON_UTF8("$error")), "lease",
			IF_TAKEN_OVER(BCON_UTF8("$$REMOVE"), BCON_UTF8("$lease")), "updated_at",
			IF_TAKEN_OVER(JOB_NOW, BCON_UTF8("$updated_at")), "notified_at", JOB_NOW,
			"result_published_at", "{", "$ifNull", "[",
			BCON_UTF8("$result_published_at"), JOB_NOW, "]", "}", "}", "}");
}

static bson_t *
announcing_failure(void)
{
	return BCON_NEW("0", "{", "$set", "{", "notified_at", JOB_NOW, "result_published_at", "{",
			"$ifNull", "[", BCON_UTF8("$result_published_at"), JOB_NOW, "]", "}", "}",
			"}");
}

static int
mongo_jobs_mark_notified(struct job_notice *s, const struct job_message *message, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	bool has_mp3 = !blob_id_is_none(&message->mp3_fid);
	bson_oid_t id, mp3;
	int r;

	if ((r = mongo_jobs_oid(&message->video_fid, &id, e)) < 0 ||
	    (has_mp3 && (r = mongo_jobs_oid(&message->mp3_fid, &mp3, e)) < 0))
		return r;
	if (has_mp3)
		filter = BCON_NEW("_id", BCON_OID(&id), "notified_at", BCON_NULL, "state", "{",
				  "$in", "[", BCON_UTF8("queued"), BCON_UTF8("leased"),
				  BCON_UTF8("done"), BCON_UTF8("failed"), "]", "}");
	else
		filter = BCON_NEW("_id", BCON_OID(&id), "notified_at", BCON_NULL, "state",
				  BCON_UTF8("failed"));
	set = has_mp3 ? announcing_mp3(&mp3) : announcing_failure();
	r = mongo_jobs_change(mongo_jobs_of_notice(s),
			      &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND ? mongo_jobs_exists_or(mongo_jobs_of_notice(s), &id, ERR_CONFLICT,
							 "was announced before", e)
				  : r;
}

static int
mongo_jobs_was_notified(struct job_notice *n, const struct blob_id *video, struct err *e)
{
	struct job job;
	int r = mongo_jobs_find_by_id(mongo_jobs_of_notice(n), "_id", video, &job, e);

	return r < 0 ? r : job.notified_ms != 0;
}

const struct job_notice_ops mongo_jobs_notice = {
	.claim = mongo_jobs_claim_notice,
	.mark_notified = mongo_jobs_mark_notified,
	.was_notified = mongo_jobs_was_notified,
};
