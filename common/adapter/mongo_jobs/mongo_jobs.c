#include "adapter/mongo_jobs/private.h"

#include "base/text/str.h"

#define DATABASE "tonearm"

static int
find_by_id(struct job_store *s, const char *key, const struct blob_id *id, struct job *ret,
	   struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *filter = NULL;
	bson_oid_t oid;
	int r;

	if (job_oid(id, &oid, NULL) < 0)
		return err_set(e, ERR_NOT_FOUND, "no job of no id");
	filter = BCON_NEW(key, BCON_OID(&oid));
	r = job_mongo_find_one(job_mongo_of(s), filter, ret, e);
	return r == ERR_NOT_FOUND ? err_set(e, r, "no job of %s", id->hex) : r;
}

static int
mongo_get(struct job_store *s, const struct blob_id *video, struct job *ret, struct err *e)
{
	return find_by_id(s, "_id", video, ret, e);
}

static int
mongo_find_by_mp3(struct job_store *s, const struct blob_id *mp3, struct job *ret, struct err *e)
{
	return find_by_id(s, "mp3_fid", mp3, ret, e);
}

static void
add_count(struct job_counts *counts, const bson_t *group)
{
	enum job_state state;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, group, "_id") || !BSON_ITER_HOLDS_UTF8(&it) ||
	    job_state_parse(bson_iter_utf8(&it, NULL), &state) < 0)
		return;
	if (bson_iter_init_find(&it, group, "n"))
		counts->by_state[state] = bson_iter_as_int64(&it);
}

/* Done jobs pile up for ever, and a metric must not read them all: they are what the collection's
 * own count (exact but after a crash of the server) leaves when the others are counted. */
static int
count_states(struct job_session *session, struct job_counts *counts, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *pipeline =
		BCON_NEW("pipeline", "[", "{", "$match", "{", "state", "{", "$in", "[",
			 BCON_UTF8("uploading"), BCON_UTF8("queued"), BCON_UTF8("leased"),
			 BCON_UTF8("failed"), BCON_UTF8("canceled"), BCON_UTF8("expired"), "]", "}",
			 "}", "}", "{", "$group", "{", "_id", BCON_UTF8("$state"), "n", "{", "$sum",
			 BCON_INT32(1), "}", "}", "}", "]");
	SCOPED(job_cursor_free_p)
	mongoc_cursor_t *cursor =
		mongoc_collection_aggregate(session->jobs, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	const bson_t *group;
	bson_error_t error;
	int64_t done;

	while (mongoc_cursor_next(cursor, &group))
		add_count(counts, group);
	if (mongoc_cursor_error(cursor, &error))
		return job_mongo_err(e, &error, "count jobs");
	done = mongoc_collection_estimated_document_count(session->jobs, NULL, NULL, NULL, &error);
	if (done < 0)
		return job_mongo_err(e, &error, "count jobs");
	for (int i = 0; i < JOB_STATES; i++)
		if (i != JOB_DONE)
			done -= counts->by_state[i];
	counts->by_state[JOB_DONE] = done > 0 ? done : 0;
	return 0;
}

/* By the server's clock on both sides. */
static int
oldest_due(struct job_session *session, int64_t *ret_age_ms, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *pipeline =
		BCON_NEW("pipeline", "[", "{", "$match", "{", "state", BCON_UTF8("queued"), JOB_DUE,
			 "}", "}", "{", "$sort", "{", "created_at", BCON_INT32(1), "}", "}", "{",
			 "$limit", BCON_INT32(1), "}", "{", "$project", "{", "n", "{", "$subtract",
			 "[", JOB_NOW, BCON_UTF8("$created_at"), "]", "}", "}", "}", "]");
	return job_session_number(session, pipeline, "oldest job", ret_age_ms, e);
}

static int
mongo_count(struct job_store *s, struct job_counts *ret, struct err *e)
{
	SCOPED(job_session_end) struct job_session session = { 0 };
	struct job_counts counts = { 0 };
	int r;

	if ((r = job_session_begin(job_mongo_of(s), &session, e)) < 0 ||
	    (r = count_states(&session, &counts, e)) < 0 ||
	    (r = oldest_due(&session, &counts.oldest_queued_ms, e)) < 0)
		return r;
	*ret = counts;
	return 0;
}

static int
mongo_ping(struct job_store *s, struct err *e)
{
	return job_session_ping(job_mongo_of(s), e);
}

static void
mongo_close(struct job_store *s)
{
	struct job_mongo *m = job_mongo_of(s);

	turns_fini(&m->turns);
	free(m);
}

static const struct job_store_ops mongo_ops = {
	.create = job_mongo_create,
	.enqueue = job_mongo_enqueue,
	.discard = job_mongo_discard,
	.adopt = job_mongo_adopt,
	.get = mongo_get,
	.find_by_mp3 = mongo_find_by_mp3,
	.lease_next = job_mongo_lease_next,
	.renew = job_mongo_renew,
	.finish = job_mongo_finish,
	.fail = job_mongo_fail,
	.retry = job_mongo_retry,
	.give_back = job_mongo_give_back,
	.free_expired = job_mongo_free_expired,
	.list_unpublished = job_mongo_list_unpublished,
	.mark_published = job_mongo_mark_published,
	.forget_published = job_mongo_forget_published,
	.claim_notice = job_mongo_claim_notice,
	.mark_notified = job_mongo_mark_notified,
	.count = mongo_count,
	.load = job_mongo_load,
	.list = job_mongo_list,
	.requeue_failed = job_mongo_requeue_failed,
	.each_leftover = job_mongo_each_leftover,
	.expire = job_mongo_expire,
	.settle = job_mongo_settle,
	.is_registered = job_mongo_is_registered,
	.ping = mongo_ping,
	.close = mongo_close,
};

int
job_mongo_new_in(struct mongo_pool *pool, const char *database, struct job_store **ret,
		 struct err *e)
{
	SCOPED_FREE struct job_mongo *m = calloc(1, sizeof *m);
	int r;

	if (m == NULL)
		return err_set(e, ERR_NO_MEMORY, "job store");
	if ((r = str_copy(m->database, sizeof m->database, database, e)) < 0)
		return r;
	m->port.ops = &mongo_ops;
	m->pool = pool;
	turns_init(&m->turns);
	*ret = &TAKE(m)->port;
	return 0;
}

int
job_mongo_new(struct mongo_pool *pool, struct job_store **ret, struct err *e)
{
	return job_mongo_new_in(pool, DATABASE, ret, e);
}
