/* The ledger as the outbox of the queues: what is due and lacks its publication. */
#include "adapter/mongo_jobs/private.h"

static int
mongo_jobs_free_expired(struct job_outbox *o, int64_t *ret_freed, struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *expired = BCON_NEW(
		"state", BCON_UTF8("leased"),
		"$expr", "{", "$lt", "[", BCON_UTF8("$lease.until"), JOB_NOW, "]", "}");
	SCOPED(mongo_jobs_bson_free)
	bson_t *set = BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("queued"),
			"lease", JOB_REMOVE,
			"history", JOB_HISTORY_WITH("lost", JOB_REMOVE),
			"progress", BCON_DOUBLE(0),
			"not_before", JOB_NOW,
			"updated_at", JOB_NOW,
			"video_published_at", JOB_REMOVE,
		"}", "}");
	/* clang-format on */
	return mongo_jobs_change_all(mongo_jobs_of_outbox(o),
				     &(struct mongo_jobs_change){ expired, set, NULL },
				     "free expired leases", ret_freed, e);
}

/* clang-format off */
/* A missing time is less than any date to $lt, so one range of the index finds the never published
 * and those whose message may be lost. */
static bson_t *
outbox_unpublished(enum job_publication which)
{
	if (which == JOB_PUBLISH_RESULT)
		return BCON_NEW(
			"state", JOB_ANY(BCON_UTF8("done"), BCON_UTF8("failed")),
			"result_published_at", BCON_NULL);
	return BCON_NEW(
		"state", BCON_UTF8("queued"),
		"$expr", "{", "$and", "[",
			"{", "$lt", "[",
				BCON_UTF8("$video_published_at"), JOB_AGO(JOB_REPUBLISH_MS),
			"]", "}",
			"{", "$lte", "[", BCON_UTF8("$not_before"), JOB_NOW, "]", "}",
		"]", "}");
}

static bson_t *
outbox_order(enum job_publication which, size_t max)
{
	if (which == JOB_PUBLISH_RESULT)
		return BCON_NEW(
			"limit", BCON_INT64((int64_t)max),
			"sort", "{", "updated_at", BCON_INT32(1), "}");
	return BCON_NEW(
		"limit", BCON_INT64((int64_t)max),
		"sort", "{",
			"video_published_at", BCON_INT32(1),
			"created_at", BCON_INT32(1),
		"}");
}
/* clang-format on */

static int
mongo_jobs_list_unpublished(struct job_outbox *o, enum job_publication which, struct job *jobs,
			    size_t max, size_t *ret_count, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = outbox_unpublished(which);
	SCOPED(mongo_jobs_bson_free) bson_t *options = outbox_order(which, max);

	return mongo_jobs_find(mongo_jobs_of_outbox(o),
			       &(struct mongo_jobs_query){ filter, options }, jobs, max, ret_count,
			       e);
}

static const char *
outbox_mark(enum job_publication which)
{
	return which == JOB_PUBLISH_VIDEO ? "video_published_at" : "result_published_at";
}

static bool
outbox_may_carry(const struct job *job, enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return job->state == JOB_QUEUED;
	return job->state == JOB_DONE || job->state == JOB_FAILED;
}

static int
mongo_jobs_mark_published(struct job_outbox *o, const struct job *job, enum job_publication which,
			  struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *set = NULL;
	struct mongo_jobs *m = mongo_jobs_of_outbox(o);
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(&job->video_fid, &id, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8(job_state_name(job->state)),
			  "attempts", BCON_INT32(job->attempts));
	/* Leased and handed back since it was read: its message is gone, so it must be listed
	 * again. */
	if (which == JOB_PUBLISH_VIDEO && job->updated_ms)
		BSON_APPEND_DATE_TIME(filter, "updated_at", job->updated_ms);
	set = BCON_NEW("0", "{", "$set", "{", outbox_mark(which), JOB_NOW, "}", "}");
	r = ERR_NOT_FOUND;
	if (outbox_may_carry(job, which))
		r = mongo_jobs_change(m, &(struct mongo_jobs_change){ filter, set, NULL }, NULL, e);
	return r == ERR_NOT_FOUND ? mongo_jobs_exists_or(m, &id, ERR_CONFLICT, "moved on", e) : r;
}

/* clang-format off */
static bson_t *
outbox_published_and_waiting(enum job_publication which)
{
	if (which == JOB_PUBLISH_VIDEO)
		return BCON_NEW(
			"state", BCON_UTF8("queued"),
			"video_published_at", "{", "$ne", BCON_NULL, "}");
	return BCON_NEW(
		"state", JOB_ANY(BCON_UTF8("done"), BCON_UTF8("failed")),
		"notified_at", BCON_NULL,
		"$expr", "{", "$gt", "[",
			BCON_UTF8("$result_published_at"), JOB_AGO(JOB_RESULT_LOST_MS),
		"]", "}");
}
/* clang-format on */

static int
mongo_jobs_forget_published(struct job_outbox *o, enum job_publication which,
			    int64_t *ret_forgotten, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = outbox_published_and_waiting(which);
	SCOPED(mongo_jobs_bson_free)
	bson_t *unset = BCON_NEW("$unset", "{", outbox_mark(which), BCON_UTF8(""), "}");

	return mongo_jobs_change_all(mongo_jobs_of_outbox(o),
				     &(struct mongo_jobs_change){ filter, unset, NULL },
				     "forget publications", ret_forgotten, e);
}

const struct job_outbox_ops mongo_jobs_outbox = {
	.free_expired = mongo_jobs_free_expired,
	.list_unpublished = mongo_jobs_list_unpublished,
	.mark_published = mongo_jobs_mark_published,
	.forget_published = mongo_jobs_forget_published,
};
