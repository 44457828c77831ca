/* Taking a lease: who waits, and the oldest due job of some of them. Choosing and taking a job are
 * one step of the server. Whose turn it is flow/fair decides. */
#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

#include "base/random.h"

static int
take_by_name(const void *a, const void *b)
{
	return strcmp(((const struct job_waiting *)a)->username,
		      ((const struct job_waiting *)b)->username);
}

static size_t
take_fill(bson_iter_t *names, struct job_waiting *users, size_t max)
{
	size_t n = 0;

	while (n < max && bson_iter_next(names)) {
		if (!BSON_ITER_HOLDS_UTF8(names))
			continue;
		users[n].running = 0;
		(void)snprintf(users[n].username, sizeof users[n].username, "%s",
			       bson_iter_utf8(names, NULL));
		n++;
	}
	return n;
}

/* The index of state and user is skipped through: the cost is the users', not their jobs'. */
static int
take_list_names(struct mongo_jobs_session *session, struct job_waiting *users, size_t max,
		size_t *ret_count, struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *command = BCON_NEW(
		"distinct", BCON_UTF8(mongoc_collection_get_name(session->jobs)),
		"key", BCON_UTF8("username"),
		"query", "{", "state", BCON_UTF8("queued"), "}");
	/* clang-format on */
	bson_iter_t it, names;
	bson_error_t error;
	bson_t reply;
	int r = 0;

	*ret_count = 0;
	if (!mongoc_collection_read_command_with_opts(session->jobs, command, NULL, NULL, &reply,
						      &error))
		r = mongo_jobs_err(e, &error, "list waiting users");
	else if (bson_iter_init_find(&it, &reply, "values") && bson_iter_recurse(&it, &names))
		*ret_count = take_fill(&names, users, max);
	bson_destroy(&reply);
	return r;
}

static void
take_set_running(struct job_waiting *users, size_t count, const bson_t *group)
{
	struct job_waiting key = { .running = 0 }, *found;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, group, "_id") || !BSON_ITER_HOLDS_UTF8(&it))
		return;
	(void)snprintf(key.username, sizeof key.username, "%s", bson_iter_utf8(&it, NULL));
	found = bsearch(&key, users, count, sizeof key, take_by_name);
	if (found && bson_iter_init_find(&it, group, "running"))
		found->running = bson_iter_as_int64(&it);
}

static int
take_count_running(struct mongo_jobs_session *session, struct job_waiting *users, size_t count,
		   struct err *e)
{
	/* clang-format off */
	SCOPED(mongo_jobs_bson_free)
	bson_t *pipeline = BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{", "state", BCON_UTF8("leased"), "}", "}",
			"{", "$group", "{",
				"_id", BCON_UTF8("$username"),
				"running", "{", "$sum", BCON_INT32(1), "}",
			"}", "}",
		"]");
	/* clang-format on */
	SCOPED(mongo_jobs_cursor_free)
	mongoc_cursor_t *cursor =
		mongoc_collection_aggregate(session->jobs, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	const bson_t *group;
	bson_error_t error;

	qsort(users, count, sizeof *users, take_by_name);
	while (mongoc_cursor_next(cursor, &group))
		take_set_running(users, count, group);
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "count running jobs");
	return 0;
}

int
mongo_jobs_list_waiting(struct job_life *l, struct job_waiting *users, size_t max,
			size_t *ret_count, struct err *e)
{
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	size_t count;
	int r;

	if ((r = mongo_jobs_session_begin(mongo_jobs_of_life(l), &session, e)) < 0 ||
	    (r = take_list_names(&session, users, max, &count, e)) < 0 ||
	    (count > 1 && (r = take_count_running(&session, users, count, e)) < 0))
		return r;
	*ret_count = count;
	return 0;
}

static bson_t *
take_change(const struct job_lease_terms *terms)
{
	struct blob_id fresh = blob_id_new();
	char owner[LEASE_OWNER_MAX + 1], token[LEASE_TOKEN_DIGITS + 1];
	bson_oid_t output;

	random_hex(token, LEASE_TOKEN_DIGITS);
	bson_oid_init_from_string(&output, fresh.hex);
	mongo_jobs_text(owner, sizeof owner, terms->owner);
	/* clang-format off */
	return BCON_NEW(
		"0", "{", "$set", "{",
			"state", BCON_UTF8("leased"),
			"attempts", "{", "$add", "[",
				"{", "$ifNull", "[", BCON_UTF8("$attempts"), BCON_INT32(0), "]", "}",
				BCON_INT32(1),
			"]", "}",
			"progress", BCON_DOUBLE(0),
			"lease", "{",
				"owner", JOB_TEXT(owner),
				"token", JOB_TEXT(token),
				"until", JOB_NOW_AND(terms->ms),
				"began_at", JOB_NOW,
				"output", BCON_OID(&output),
				"speed", JOB_REMOVE,
				"remaining_s", JOB_REMOVE,
			"}",
			"outputs", "{", "$slice", "[",
				"{", "$concatArrays", "[",
					JOB_OUTPUTS, "[", BCON_OID(&output), "]",
				"]", "}",
				BCON_INT32(-JOB_OUTPUTS_MAX),
			"]", "}",
			"updated_at", JOB_NOW,
		"}", "}");
	/* clang-format on */
}

static void
take_name_users(bson_t *filter, const char *const *users, size_t count)
{
	bson_t username, in;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "username", &username);
	BSON_APPEND_ARRAY_BEGIN(&username, "$in", &in);
	for (size_t i = 0; i < count; i++) {
		char buffer[16];
		const char *key;
		size_t len = bson_uint32_to_string((uint32_t)i, &key, buffer, sizeof buffer);

		bson_append_utf8(&in, key, (int)len, users[i], -1);
	}
	bson_append_array_end(&username, &in);
	bson_append_document_end(filter, &username);
}

int
mongo_jobs_lease_oldest(struct job_life *l, const struct job_lease_terms *terms,
			const char *const *users, size_t count, struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free)
	bson_t *filter = BCON_NEW("state", BCON_UTF8("queued"), JOB_DUE);
	SCOPED(mongo_jobs_bson_free) bson_t *sort = BCON_NEW("created_at", BCON_INT32(1));
	SCOPED(mongo_jobs_bson_free) bson_t *lease = take_change(terms);
	int r;

	if (count > 0)
		take_name_users(filter, users, count);
	r = mongo_jobs_change(mongo_jobs_of_life(l),
			      &(struct mongo_jobs_change){ filter, lease, sort }, ret, e);
	return r == ERR_NOT_FOUND ? err_set(e, r, "no job is due") : r;
}

int
mongo_jobs_lease_one(struct job_life *l, const struct job_lease_terms *terms,
		     const struct blob_id *video, struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free) bson_t *lease = take_change(terms);
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id), "state", BCON_UTF8("queued"), JOB_DUE);
	r = mongo_jobs_change(mongo_jobs_of_life(l),
			      &(struct mongo_jobs_change){ filter, lease, NULL }, ret, e);
	return r == ERR_NOT_FOUND ? err_set(e, r, "job %s is not due", video->hex) : r;
}
