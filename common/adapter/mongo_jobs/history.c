/* The attempts of a job that have ended. */
#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

static void
history_text(bson_iter_t *it, char *to, size_t size)
{
	if (BSON_ITER_HOLDS_UTF8(it))
		(void)snprintf(to, size, "%s", bson_iter_utf8(it, NULL));
}

/* False: it is none of this build's. */
static bool
history_read_one(bson_iter_t *it, struct job_attempt *ret)
{
	char end[16] = "";

	*ret = (struct job_attempt){ 0 };
	while (bson_iter_next(it)) {
		const char *key = bson_iter_key(it);

		if (strcmp(key, "owner") == 0)
			history_text(it, ret->owner, sizeof ret->owner);
		else if (strcmp(key, "error") == 0)
			history_text(it, ret->error, sizeof ret->error);
		else if (strcmp(key, "end") == 0)
			history_text(it, end, sizeof end);
		else if (strcmp(key, "began_at") == 0 && BSON_ITER_HOLDS_DATE_TIME(it))
			ret->began_ms = bson_iter_date_time(it);
		else if (strcmp(key, "ended_at") == 0 && BSON_ITER_HOLDS_DATE_TIME(it))
			ret->ended_ms = bson_iter_date_time(it);
	}
	return job_end_parse(end, &ret->end) == 0;
}

static size_t
history_read(const bson_t *doc, struct job_attempt *list)
{
	bson_iter_t it, item, one;
	size_t count = 0;

	if (!bson_iter_init_find(&it, doc, "history") || !BSON_ITER_HOLDS_ARRAY(&it) ||
	    !bson_iter_recurse(&it, &item))
		return 0;
	while (count < JOB_HISTORY_MAX && bson_iter_next(&item))
		if (BSON_ITER_HOLDS_DOCUMENT(&item) && bson_iter_recurse(&item, &one) &&
		    history_read_one(&one, &list[count]))
			count++;
	return count;
}

int
mongo_jobs_history(struct job_desk *d, const struct blob_id *video, struct job_attempt *list,
		   size_t *ret_count, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free)
	bson_t *options = BCON_NEW("projection", "{", "history", BCON_INT32(1), "}");
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	SCOPED(mongo_jobs_cursor_free) mongoc_cursor_t *cursor = NULL;
	bson_error_t error;
	const bson_t *doc;
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(video, &id, e)) < 0 ||
	    (r = mongo_jobs_session_begin(mongo_jobs_of_desk(d), &session, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id));
	cursor = mongoc_collection_find_with_opts(session.jobs, filter, options, NULL);
	if (mongoc_cursor_next(cursor, &doc)) {
		*ret_count = history_read(doc, list);
		return 0;
	}
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "read a job's history");
	return err_set(e, ERR_NOT_FOUND, "no job %s", video->hex);
}
