/* What people and dashboards ask of the ledger, and what an operator orders. */
#include "adapter/mongo_jobs/private.h"

static int
mongo_jobs_find_by_mp3(struct job_desk *d, const struct blob_id *mp3, struct job *ret,
		       struct err *e)
{
	return mongo_jobs_find_by_id(mongo_jobs_of_desk(d), "mp3_fid", mp3, ret, e);
}

static void
desk_add_count(struct job_counts *counts, const bson_t *group)
{
	enum job_state state;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, group, "_id") || !BSON_ITER_HOLDS_UTF8(&it) ||
	    job_state_parse(bson_iter_utf8(&it, NULL), &state) < 0)
		return;
	if (bson_iter_init_find(&it, group, "n"))
		counts->by_state[state] = bson_iter_as_int64(&it);
}

/* clang-format off */
static bson_t *
desk_states_but_done(void)
{
	return BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{",
				"state", JOB_ANY(BCON_UTF8("uploading"), BCON_UTF8("queued"),
						 BCON_UTF8("leased"), BCON_UTF8("failed"),
						 BCON_UTF8("canceled"), BCON_UTF8("expired")),
			"}", "}",
			"{", "$group", "{",
				"_id", BCON_UTF8("$state"),
				"n", "{", "$sum", BCON_INT32(1), "}",
			"}", "}",
		"]");
}
/* clang-format on */

/* Done jobs pile up for ever, and a metric must not read them all: they are what the collection's
 * own count (exact but after a crash of the server) leaves when the others are counted. */
static int
desk_count_states(struct mongo_jobs_session *session, struct job_counts *counts, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *pipeline = desk_states_but_done();
	SCOPED(mongo_jobs_cursor_free)
	mongoc_cursor_t *cursor =
		mongoc_collection_aggregate(session->jobs, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	const bson_t *group;
	bson_error_t error;
	int64_t done;

	while (mongoc_cursor_next(cursor, &group))
		desk_add_count(counts, group);
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "count jobs");
	done = mongoc_collection_estimated_document_count(session->jobs, NULL, NULL, NULL, &error);
	if (done < 0)
		return mongo_jobs_err(e, &error, "count jobs");
	for (int i = 0; i < JOB_STATES; i++)
		if (i != JOB_DONE)
			done -= counts->by_state[i];
	counts->by_state[JOB_DONE] = done > 0 ? done : 0;
	return 0;
}

/* By the server's clock on both sides. */
static int
desk_oldest_due(struct mongo_jobs_session *session, int64_t *ret_age_ms, struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *pipeline = BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{", "state", BCON_UTF8("queued"), JOB_DUE, "}", "}",
			"{", "$sort", "{", "created_at", BCON_INT32(1), "}", "}",
			"{", "$limit", BCON_INT32(1), "}",
			"{", "$project", "{",
				"n", "{", "$subtract", "[", JOB_NOW, BCON_UTF8("$created_at"), "]", "}",
			"}", "}",
		"]");
	/* clang-format on */
	return mongo_jobs_session_number(session, &(struct mongo_jobs_query){ .filter = pipeline },
					 "oldest job", ret_age_ms, e);
}

static int
mongo_jobs_count(struct job_desk *d, struct job_counts *ret, struct err *e)
{
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	struct job_counts counts = { 0 };
	int r;

	if ((r = mongo_jobs_session_begin(mongo_jobs_of_desk(d), &session, e)) < 0 ||
	    (r = desk_count_states(&session, &counts, e)) < 0 ||
	    (r = desk_oldest_due(&session, &counts.oldest_queued_ms, e)) < 0)
		return r;
	*ret = counts;
	return 0;
}

static bson_t *
desk_filter(const struct job_filter *filter)
{
	bson_t *b = bson_new(), state, in;

	/* All states by name: each index begins with the state, and the server merges their orders.
	 */
	BSON_APPEND_DOCUMENT_BEGIN(b, "state", &state);
	BSON_APPEND_ARRAY_BEGIN(&state, "$in", &in);
	for (int i = 0; i < JOB_STATES; i++)
		if (!filter->state || (int)*filter->state == i)
			BSON_APPEND_UTF8(&in, "0", job_state_name((enum job_state)i));
	bson_append_array_end(&state, &in);
	bson_append_document_end(b, &state);
	if (filter->username)
		BSON_APPEND_UTF8(b, "username", filter->username);
	return b;
}

static int
mongo_jobs_list(struct job_desk *d, const struct job_filter *filter, struct job *jobs, size_t max,
		size_t *ret_count, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *match = desk_filter(filter);
	SCOPED(mongo_jobs_bson_free)
	bson_t *options = BCON_NEW("limit", BCON_INT64((int64_t)max), "sort", "{", "created_at",
				   BCON_INT32(-1), "}");

	if (max == 0) { /* a limit of 0 would mean none */
		*ret_count = 0;
		return 0;
	}
	return mongo_jobs_find(mongo_jobs_of_desk(d), &(struct mongo_jobs_query){ match, options },
			       jobs, max, ret_count, e);
}

/* clang-format off */
static bson_t *
desk_as_on_the_first_day(void)
{
	return BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("queued"),
			"attempts", BCON_INT32(0),
			"progress", BCON_DOUBLE(0),
			"error", JOB_REMOVE,
			"lease", JOB_REMOVE,
			"not_before", JOB_NOW,
			"updated_at", JOB_NOW,
			"video_published_at", JOB_REMOVE,
			"result_published_at", JOB_REMOVE,
			"notified_at", JOB_REMOVE,
			"notice", JOB_REMOVE,
		"}", "}");
}
/* clang-format on */

static int
mongo_jobs_requeue_failed(struct job_desk *d, const struct blob_id *only, const char *username,
			  int64_t *ret_requeued, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *failed = BCON_NEW("state", BCON_UTF8("failed"), "video_settled_at", BCON_NULL);
	SCOPED(mongo_jobs_bson_free) bson_t *set = desk_as_on_the_first_day();
	bson_oid_t id;
	int r;

	if (only && (r = mongo_jobs_oid(only, &id, e)) < 0)
		return r;
	if (only)
		BSON_APPEND_OID(failed, "_id", &id);
	if (username)
		BSON_APPEND_UTF8(failed, "username", username);
	return mongo_jobs_change_all(mongo_jobs_of_desk(d),
				     &(struct mongo_jobs_change){ failed, set, NULL },
				     "requeue failed jobs", ret_requeued, e);
}

/* clang-format off */
static bson_t *
desk_unfinished(const char *username)
{
	return BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{",
				"state", JOB_ANY(BCON_UTF8("uploading"), BCON_UTF8("queued"),
						 BCON_UTF8("leased")),
				"username", BCON_UTF8(username),
			"}", "}",
			"{", "$count", BCON_UTF8("n"), "}",
		"]");
}

static bson_t *
desk_announced(const char *username)
{
	return BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{",
				"state", BCON_UTF8("uploading"),
				"username", BCON_UTF8(username),
			"}", "}",
			"{", "$group", "{",
				"_id", BCON_NULL,
				"n", "{", "$sum", BCON_UTF8("$source.bytes"), "}",
			"}", "}",
		"]");
}
/* clang-format on */

/* Both by the index of state and user. */
static int
mongo_jobs_load(struct job_desk *d, const char *username, struct job_load *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *unfinished = desk_unfinished(username);
	SCOPED(mongo_jobs_bson_free) bson_t *announced = desk_announced(username);
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	struct job_load load = { 0 };
	int r;

	if ((r = mongo_jobs_session_begin(mongo_jobs_of_desk(d), &session, e)) < 0 ||
	    (r = mongo_jobs_session_number(&session,
					   &(struct mongo_jobs_query){ .filter = unfinished },
					   "count a user's jobs", &load.unfinished, e)) < 0 ||
	    (r = mongo_jobs_session_number(&session,
					   &(struct mongo_jobs_query){ .filter = announced },
					   "sum a user's uploads", &load.uploading_bytes, e)) < 0)
		return r;
	*ret = load;
	return 0;
}

const struct job_desk_ops mongo_jobs_desk = {
	.find_by_mp3 = mongo_jobs_find_by_mp3,
	.count = mongo_jobs_count,
	.load = mongo_jobs_load,
	.stored = mongo_jobs_stored,
	.list = mongo_jobs_list,
	.history = mongo_jobs_history,
	.requeue_failed = mongo_jobs_requeue_failed,
};
