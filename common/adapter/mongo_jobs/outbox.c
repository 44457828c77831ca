/* The ledger as the outbox of the queues: what lacks its publication, and what was announced. */
#include "adapter/mongo_jobs/private.h"

#define EITHER(a, b) "{", "$in", "[", BCON_UTF8(a), BCON_UTF8(b), "]", "}"

/* A missing time is less than any date to $lt, so one range of the index finds the never published
 * and those whose message may be lost. */
static bson_t *
unpublished(enum job_publication which)
{
	if (which == JOB_PUBLISH_RESULT)
		return BCON_NEW("state", EITHER("done", "failed"), "result_published_at",
				BCON_NULL);
	return BCON_NEW("state", BCON_UTF8("queued"), "$expr", "{", "$and", "[", "{", "$lt", "[",
			BCON_UTF8("$video_published_at"), "{", "$subtract", "[", JOB_NOW,
			BCON_INT64(JOB_REPUBLISH_MS), "]", "}", "]", "}", "{", "$lte", "[",
			BCON_UTF8("$not_before"), JOB_NOW, "]", "}", "]", "}");
}

int
job_mongo_list_unpublished(struct job_store *s, enum job_publication which, struct job *jobs,
			   size_t max, size_t *ret_count, struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = unpublished(which);
	SCOPED(job_bson_free_p) bson_t *options = NULL;

	if (which == JOB_PUBLISH_RESULT)
		options = BCON_NEW("limit", BCON_INT64((int64_t)max), "sort", "{", "updated_at",
				   BCON_INT32(1), "}");
	else
		options = BCON_NEW("limit", BCON_INT64((int64_t)max), "sort", "{",
				   "video_published_at", BCON_INT32(1), "created_at", BCON_INT32(1),
				   "}");
	return job_mongo_find(job_mongo_of(s), &(struct job_query){ filter, options }, jobs, max,
			      ret_count, e);
}

static int
exists_or(struct job_mongo *m, const bson_oid_t *id, int code, const char *what, struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = BCON_NEW("_id", BCON_OID(id));
	struct job job;
	int r = job_mongo_find_one(m, filter, &job, e);

	if (r == ERR_NOT_FOUND)
		return err_set(e, r, "no such job");
	return r < 0 ? r : err_set(e, code, "job %s %s", job.video_fid.hex, what);
}

static bool
may_carry(const struct job *job, enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return job->state == JOB_QUEUED;
	return job->state == JOB_DONE || job->state == JOB_FAILED;
}

int
job_mongo_mark_published(struct job_store *s, const struct job *job, enum job_publication which,
			 struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = NULL;
	SCOPED(job_bson_free_p) bson_t *set = NULL;
	const char *mark =
		which == JOB_PUBLISH_VIDEO ? "video_published_at" : "result_published_at";
	bson_oid_t id;
	int r;

	if ((r = job_oid(&job->video_fid, &id, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8(job_state_name(job->state)),
			  "attempts", BCON_INT32(job->attempts));
	/* Leased and given back since it was read: its message is gone, so it must be listed again.
	 */
	if (which == JOB_PUBLISH_VIDEO && job->updated_ms)
		BSON_APPEND_DATE_TIME(filter, "updated_at", job->updated_ms);
	set = BCON_NEW("0", "{", "$set", "{", mark, JOB_NOW, "}", "}");
	r = ERR_NOT_FOUND;
	if (may_carry(job, which))
		r = job_mongo_change(job_mongo_of(s), &(struct job_change){ filter, set, NULL },
				     NULL, e);
	return r == ERR_NOT_FOUND ? exists_or(job_mongo_of(s), &id, ERR_CONFLICT, "moved on", e)
				  : r;
}

static bson_t *
published_and_waiting(enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return BCON_NEW("state", BCON_UTF8("queued"), "video_published_at", "{", "$ne",
				BCON_NULL, "}");
	return BCON_NEW("state", EITHER("done", "failed"), "notified_at", BCON_NULL, "$expr", "{",
			"$gt", "[", BCON_UTF8("$result_published_at"), "{", "$subtract", "[",
			JOB_NOW, BCON_INT64(JOB_RESULT_LOST_MS), "]", "}", "]", "}");
}

int
job_mongo_forget_published(struct job_store *s, enum job_publication which, int64_t *ret_forgotten,
			   struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = published_and_waiting(which);
	SCOPED(job_bson_free_p)
	bson_t *unset =
		BCON_NEW("$unset", "{",
			 which == JOB_PUBLISH_VIDEO ? "video_published_at" : "result_published_at",
			 BCON_UTF8(""), "}");
	return job_mongo_change_all(job_mongo_of(s),
				    &(struct job_change){ .filter = filter, .pipeline = unset },
				    "forget publications", ret_forgotten, e);
}

#define NOTICE_RAN_OUT "$expr", "{", "$lt", "[", BCON_UTF8("$notice.until"), JOB_NOW, "]", "}"
#define NOTICE_UNTIL(ms) "until", "{", "$add", "[", JOB_NOW, BCON_INT64(ms), "]", "}"

static int
take_notice(struct job_mongo *m, const bson_oid_t *id, const char *owner, int64_t ms, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *filter =
		BCON_NEW("_id", BCON_OID(id), "notified_at", BCON_NULL, "$or", "[", "{",
			 "notice.owner", "{", "$in", "[", BCON_NULL, BCON_UTF8(owner), "]", "}",
			 "}", "{", "notice.contested", BCON_BOOL(true), NOTICE_RAN_OUT, "}", "]");
	SCOPED(job_bson_free_p)
	bson_t *set = BCON_NEW("0", "{", "$set", "{", "notice", "{", "owner", JOB_TEXT(owner),
			       "contested", BCON_BOOL(false), NOTICE_UNTIL(ms), "}", "}", "}");

	return job_mongo_change(m, &(struct job_change){ filter, set, NULL }, NULL, e);
}

/* From here on the holder has another ms, in which the server is there. */
static int
contest_notice(struct job_mongo *m, const bson_oid_t *id, int64_t ms, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *filter = BCON_NEW("_id", BCON_OID(id), "notified_at", BCON_NULL, "notice.contested",
				  BCON_BOOL(false), NOTICE_RAN_OUT);
	SCOPED(job_bson_free_p)
	bson_t *set = BCON_NEW("0", "{", "$set", "{", "notice", "{", "contested", BCON_BOOL(true),
			       NOTICE_UNTIL(ms), "}", "}", "}");

	return job_mongo_change(m, &(struct job_change){ filter, set, NULL }, NULL, e);
}

int
job_mongo_claim_notice(struct job_store *s, const struct blob_id *video, const char *owner,
		       int64_t ms, struct err *e)
{
	struct job_mongo *m = job_mongo_of(s);
	bson_oid_t id;
	int r;

	if ((r = job_oid(video, &id, e)) < 0 ||
	    (r = take_notice(m, &id, owner, ms, e)) != ERR_NOT_FOUND)
		return r;
	r = contest_notice(m, &id, ms, e);
	return r == 0 || r == ERR_NOT_FOUND
		       ? exists_or(m, &id, ERR_CONFLICT, "is announced by another", e)
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

int
job_mongo_mark_notified(struct job_store *s, const struct job_message *message, struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = NULL;
	SCOPED(job_bson_free_p) bson_t *set = NULL;
	bool has_mp3 = !blob_id_is_none(&message->mp3_fid);
	bson_oid_t id, mp3;
	int r;

	if ((r = job_oid(&message->video_fid, &id, e)) < 0 ||
	    (has_mp3 && (r = job_oid(&message->mp3_fid, &mp3, e)) < 0))
		return r;
	if (has_mp3)
		filter = BCON_NEW("_id", BCON_OID(&id), "notified_at", BCON_NULL, "state", "{",
				  "$in", "[", BCON_UTF8("queued"), BCON_UTF8("leased"),
				  BCON_UTF8("done"), BCON_UTF8("failed"), "]", "}");
	else
		filter = BCON_NEW("_id", BCON_OID(&id), "notified_at", BCON_NULL, "state",
				  BCON_UTF8("failed"));
	set = has_mp3 ? announcing_mp3(&mp3) : announcing_failure();
	r = job_mongo_change(job_mongo_of(s), &(struct job_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND
		       ? exists_or(job_mongo_of(s), &id, ERR_CONFLICT, "was announced before", e)
		       : r;
}
