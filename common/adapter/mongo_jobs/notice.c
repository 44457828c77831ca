/* Who announces a job's result, and that it was announced. */
#include "adapter/mongo_jobs/private.h"

#define RAN_OUT "$expr", "{", "$lt", "[", BCON_UTF8("$notice.until"), JOB_NOW, "]", "}"

static int
notice_take(struct mongo_jobs *m, const bson_oid_t *id, const char *owner, int64_t ms,
	    struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW(
		"_id", BCON_OID(id),
		"notified_at", BCON_NULL,
		"$or", "[",
			"{", "notice.owner", "{", "$in", "[", BCON_NULL, BCON_UTF8(owner), "]", "}", "}",
			"{", "notice.contested", BCON_BOOL(true), RAN_OUT, "}",
		"]");
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"notice", "{",
				"owner", JOB_TEXT(owner),
				"contested", BCON_BOOL(false),
				"until", JOB_NOW_AND(ms),
			"}",
		"}", "}");
	/* clang-format on */
	return mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
}

/* From here on the holder has another ms, in which the server is there. */
static int
notice_contest(struct mongo_jobs *m, const bson_oid_t *id, int64_t ms, struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW(
		"_id", BCON_OID(id),
		"notified_at", BCON_NULL,
		"notice.contested", BCON_BOOL(false),
		RAN_OUT);
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"notice", "{",
				"contested", BCON_BOOL(true),
				"until", JOB_NOW_AND(ms),
			"}",
		"}", "}");
	/* clang-format on */
	return mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
}

static int
mongo_jobs_claim_notice(struct job_notice *n, const struct blob_id *video, const char *owner,
			int64_t ms, struct err *e)
{
	struct mongo_jobs *m = mongo_jobs_of_notice(n);
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0 ||
	    (r = notice_take(m, &id, owner, ms, e)) != ERR_NOT_FOUND)
		return r;
	r = notice_contest(m, &id, ms, e);
	return r == 0 || r == ERR_NOT_FOUND
		       ? mongo_jobs_exists_or(m, &id, ERR_CONFLICT, "is announced by another", e)
		       : r;
}

/* clang-format off */
/* A queued or leased job whose mp3 exists was MsgQ's converter's work. */
#define IF_TAKEN_OVER(value, otherwise)                                                            \
	"{", "$cond", "[",                                                                         \
		"{", "$in", "[",                                                                   \
			BCON_UTF8("$state"), "[", BCON_UTF8("queued"), BCON_UTF8("leased"), "]",   \
		"]", "}",                                                                          \
		value, otherwise,                                                                  \
	"]", "}"
#define PUBLISHED_BY_NOW                                                                           \
	"{", "$ifNull", "[", BCON_UTF8("$result_published_at"), JOB_NOW, "]", "}"

static bson_t *
notice_of_mp3(const bson_oid_t *mp3)
{
	return BCON_NEW(
		"0", "{", "$set", "{",
			"mp3_fid", IF_TAKEN_OVER(BCON_OID(mp3), BCON_UTF8("$mp3_fid")),
			"state", IF_TAKEN_OVER(BCON_UTF8("done"), BCON_UTF8("$state")),
			"progress", IF_TAKEN_OVER(BCON_DOUBLE(1), BCON_UTF8("$progress")),
			"error", IF_TAKEN_OVER(JOB_REMOVE, BCON_UTF8("$error")),
			"lease", IF_TAKEN_OVER(JOB_REMOVE, BCON_UTF8("$lease")),
			"updated_at", IF_TAKEN_OVER(JOB_NOW, BCON_UTF8("$updated_at")),
			"notified_at", JOB_NOW,
			"result_published_at", PUBLISHED_BY_NOW,
		"}", "}");
}

static bson_t *
notice_of_failure(void)
{
	return BCON_NEW(
		"0", "{", "$set", "{",
			"notified_at", JOB_NOW,
			"result_published_at", PUBLISHED_BY_NOW,
		"}", "}");
}

static bson_t *
notice_filter(const bson_oid_t *id, bool has_mp3)
{
	if (!has_mp3)
		return BCON_NEW(
			"_id", BCON_OID(id),
			"notified_at", BCON_NULL,
			"state", BCON_UTF8("failed"));
	return BCON_NEW(
		"_id", BCON_OID(id),
		"notified_at", BCON_NULL,
		"state", JOB_ANY(BCON_UTF8("queued"), BCON_UTF8("leased"),
				 BCON_UTF8("done"), BCON_UTF8("failed")));
}
/* clang-format on */

static int
mongo_jobs_mark_notified(struct job_notice *n, const struct job_message *message, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	struct mongo_jobs *m = mongo_jobs_of_notice(n);
	bool has_mp3 = !blob_id_is_none(&message->mp3_fid);
	bson_oid_t id, mp3;
	int r;

	if ((r = mongo_jobs_oid(&message->video_fid, &id, e)) < 0 ||
	    (has_mp3 && (r = mongo_jobs_oid(&message->mp3_fid, &mp3, e)) < 0))
		return r;
	filter = notice_filter(&id, has_mp3);
	set = has_mp3 ? notice_of_mp3(&mp3) : notice_of_failure();
	r = mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND
		       ? mongo_jobs_exists_or(m, &id, ERR_CONFLICT, "was announced before", e)
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
