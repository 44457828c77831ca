/* What attempts of a job have registered for their outputs. */
#include "adapter/mongo_jobs/private.h"

int
mongo_jobs_each_output(const bson_t *doc, mongo_jobs_output_fn fn, void *arg, struct err *e)
{
	bson_iter_t it, item;
	struct blob_id id;
	int r = 0;

	if (!bson_iter_init_find(&it, doc, "outputs") || !BSON_ITER_HOLDS_ARRAY(&it) ||
	    !bson_iter_recurse(&it, &item))
		return 0;
	while (r == 0 && bson_iter_next(&item)) {
		if (!BSON_ITER_HOLDS_OID(&item))
			continue;
		bson_oid_to_string(bson_iter_oid(&item), id.hex);
		r = fn(arg, &id, e);
	}
	return r;
}

struct outputs_list {
	const struct blob_id *own;
	struct blob_id *ids;
	size_t count;
};

static int
outputs_add(void *arg, const struct blob_id *output, struct err *e)
{
	struct outputs_list *list = arg;

	(void)e;
	if (list->count < JOB_OUTPUTS_MAX && !blob_id_equal(output, list->own))
		list->ids[list->count++] = *output;
	return 0;
}

int
mongo_jobs_list_outputs(struct job_life *l, const struct job_lease *lease, struct blob_id *ids,
			size_t *ret_count, struct err *e)
{
	struct outputs_list list = { &lease->output, ids, 0 };
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	SCOPED(mongo_jobs_bson_free)
	bson_t *options = BCON_NEW("projection", "{", "outputs", BCON_INT32(1), "}");
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	SCOPED(mongo_jobs_cursor_free) mongoc_cursor_t *cursor = NULL;
	bson_error_t error;
	const bson_t *doc;
	bson_oid_t id;
	int r;

	if ((r = mongo_jobs_oid(&lease->video_fid, &id, e)) < 0 ||
	    (r = mongo_jobs_session_begin(mongo_jobs_of_life(l), &session, e)) < 0)
		return r;
	filter = BCON_NEW("_id", BCON_OID(&id));
	cursor = mongoc_collection_find_with_opts(session.jobs, filter, options, NULL);
	if (mongoc_cursor_next(cursor, &doc))
		r = mongo_jobs_each_output(doc, outputs_add, &list, e);
	else if (mongoc_cursor_error(cursor, &error))
		r = mongo_jobs_err(e, &error, "list outputs");
	else
		r = err_set(e, ERR_NOT_FOUND, "no job %s", lease->video_fid.hex);
	if (r == 0)
		*ret_count = list.count;
	return r;
}
