/* What an operator asks of the ledger. */
#include "adapter/mongo_jobs/private.h"

static bson_t *
matching(const struct job_filter *filter)
{
	bson_t *b = bson_new(), state, in;

	/* All states by name: each index begins with the state, and the server merges their orders.
	 */
	BSON_APPEND_DOCUMENT_BEGIN(b, "state", &state);
	BSON_APPEND_ARRAY_BEGIN(&state, "$in", &in);
	for (int i = 0; i < JOB_STATES; i++)
		if (filter->state == NULL || (int)*filter->state == i)
			BSON_APPEND_UTF8(&in, "0", job_state_name((enum job_state)i));
	bson_append_array_end(&state, &in);
	bson_append_document_end(b, &state);
	if (filter->username)
		BSON_APPEND_UTF8(b, "username", filter->username);
	return b;
}

int
job_mongo_list(struct job_store *s, const struct job_filter *filter, struct job *jobs, size_t max,
	       size_t *ret_count, struct err *e)
{
	SCOPED(job_bson_free_p) bson_t *match = matching(filter);
	SCOPED(job_bson_free_p)
	bson_t *options = BCON_NEW("limit", BCON_INT64((int64_t)max), "sort", "{", "created_at",
				   BCON_INT32(-1), "}");

	if (max == 0) { /* a limit of 0 would mean none */
		*ret_count = 0;
		return 0;
	}
	return job_mongo_find(job_mongo_of(s), &(struct job_query){ match, options }, jobs, max,
			      ret_count, e);
}

int
job_mongo_requeue_failed(struct job_store *s, const struct blob_id *only, const char *username,
			 int64_t *ret_requeued, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *failed = BCON_NEW("state", BCON_UTF8("failed"), "video_settled_at", BCON_NULL);
	SCOPED(job_bson_free_p)
	bson_t *set =
		BCON_NEW("0", "{", "$set", "{", "state", BCON_UTF8("queued"), "attempts",
			 BCON_INT32(0), "progress", BCON_DOUBLE(0), "error", BCON_UTF8("$$REMOVE"),
			 "lease", BCON_UTF8("$$REMOVE"), "not_before", JOB_NOW, "updated_at",
			 JOB_NOW, "video_published_at", BCON_UTF8("$$REMOVE"),
			 "result_published_at", BCON_UTF8("$$REMOVE"), "notified_at",
			 BCON_UTF8("$$REMOVE"), "notice", BCON_UTF8("$$REMOVE"), "}", "}");
	SCOPED(job_session_end) struct job_session session = { 0 };
	bson_error_t error;
	bson_iter_t it;
	bson_t reply;
	bson_oid_t id;
	int r;

	if ((only && (r = job_oid(only, &id, e)) < 0) ||
	    (r = job_session_begin(job_mongo_of(s), &session, e)) < 0)
		return r;
	if (only)
		BSON_APPEND_OID(failed, "_id", &id);
	if (username)
		BSON_APPEND_UTF8(failed, "username", username);
	if (!mongoc_collection_update_many(session.jobs, failed, set, NULL, &reply, &error))
		r = job_mongo_err(e, &error, "requeue failed jobs");
	else
		*ret_requeued = bson_iter_init_find(&it, &reply, "modifiedCount")
					? bson_iter_as_int64(&it)
					: 0;
	bson_destroy(&reply);
	return r;
}

/* Both by the index of state and user. */
int
job_mongo_load(struct job_store *s, const char *username, struct job_load *ret, struct err *e)
{
	SCOPED(job_bson_free_p)
	bson_t *unfinished = BCON_NEW(
		"pipeline", "[", "{", "$match", "{", "state", "{", "$in", "[",
		BCON_UTF8("uploading"), BCON_UTF8("queued"), BCON_UTF8("leased"), "]", "}",
		"username", BCON_UTF8(username), "}", "}", "{", "$count", BCON_UTF8("n"), "}", "]");
	SCOPED(job_bson_free_p)
	bson_t *bytes = BCON_NEW("pipeline", "[", "{", "$match", "{", "state",
				 BCON_UTF8("uploading"), "username", BCON_UTF8(username), "}", "}",
				 "{", "$group", "{", "_id", BCON_NULL, "n", "{", "$sum",
				 BCON_UTF8("$source.bytes"), "}", "}", "}", "]");
	SCOPED(job_session_end) struct job_session session = { 0 };
	struct job_load load = { 0 };
	int r;

	if ((r = job_session_begin(job_mongo_of(s), &session, e)) < 0 ||
	    (r = job_session_number(&session, unfinished, "count a user's jobs", &load.unfinished,
				    e)) < 0 ||
	    (r = job_session_number(&session, bytes, "sum a user's uploads", &load.uploading_bytes,
				    e)) < 0)
		return r;
	*ret = load;
	return 0;
}
