/* One call's client and collection, and the two steps that all calls are made of: find and change.
 */
#include "adapter/mongo_jobs/private.h"

#include "adapter/mongo/private.h"

/* clang-format off */
#define KEY(name) name, BCON_INT32(1)
#define INDEX(name, keys, ...)                                                                     \
	"{",                                                                                       \
		"name", BCON_UTF8(name),                                                           \
		"key", "{", keys, "}",                                                             \
		__VA_ARGS__                                                                        \
	"}"
#define KEYS(...) __VA_ARGS__
#define SPARSE "sparse", BCON_BOOL(true),
#define ONCE_PUBLISHED                                                                             \
	"partialFilterExpression", "{",                                                            \
		"result_published_at", "{", "$exists", BCON_BOOL(true), "}",                       \
	"}",

static bson_t *
session_indexes(void)
{
	return BCON_NEW(
		"createIndexes", BCON_UTF8(MONGO_JOBS_COLLECTION),
		"indexes", "[",
			/* who waits, and the oldest of each */
			INDEX("state_user_created",
			      KEYS(KEY("state"), KEY("username"), KEY("created_at")),),
			/* what is unpublished while it waits */
			INDEX("state_video_published",
			      KEYS(KEY("state"), KEY("video_published_at"), KEY("created_at")),),
			/* results unpublished */
			INDEX("state_result_published",
			      KEYS(KEY("state"), KEY("result_published_at"), KEY("updated_at")),),
			/* the oldest due of many users, and the counts by state */
			INDEX("state_created_due",
			      KEYS(KEY("state"), KEY("created_at"), KEY("not_before")),),
			/* the owner of an mp3 */
			INDEX("mp3", KEYS(KEY("mp3_fid")), SPARSE),
			/* outputs of attempts */
			INDEX("outputs", KEYS(KEY("outputs")), SPARSE),
			/* whose blobs may expire */
			INDEX("video_settled", KEYS(KEY("video_settled_at"), KEY("updated_at")),
			      ONCE_PUBLISHED),
			INDEX("audio_settled", KEYS(KEY("audio_settled_at"), KEY("updated_at")),
			      ONCE_PUBLISHED),
		"]");
}
/* clang-format on */

int
mongo_jobs_err(struct err *e, const bson_error_t *error, const char *what)
{
	return mongo_err(e, error, what);
}

/* Threads may do this at once: it is the same command for all, and the server's second answer is
 * "exists already". */
static int
session_ensure_indexes(struct mongo_jobs *m, mongoc_client_t *client, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *command = NULL;
	bson_error_t error;

	if (atomic_load(&m->indexed))
		return 0;
	command = session_indexes();
	if (!mongoc_client_write_command_with_opts(client, m->database, command, NULL, NULL,
						   &error))
		return mongo_jobs_err(e, &error, "ledger indexes");
	atomic_store(&m->indexed, true);
	return 0;
}

static void
session_demand_majority(struct mongo_jobs *m, mongoc_collection_t *jobs)
{
	mongoc_write_concern_t *w = mongoc_write_concern_new();
	mongoc_read_concern_t *r = mongoc_read_concern_new();
	mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);

	mongoc_write_concern_set_wmajority(w, (int32_t)mongo_pool_deadline_ms(m->pool));
	mongoc_write_concern_set_journal(w, true);
	mongoc_read_concern_set_level(r, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	mongoc_collection_set_write_concern(jobs, w);
	mongoc_collection_set_read_concern(jobs, r);
	mongoc_collection_set_read_prefs(jobs, primary);
	mongoc_write_concern_destroy(w);
	mongoc_read_concern_destroy(r);
	mongoc_read_prefs_destroy(primary);
}

int
mongo_jobs_session_begin(struct mongo_jobs *m, struct mongo_jobs_session *ret, struct err *e)
{
	struct mongo_jobs_session s = { .pool = m->pool };
	int r;

	if ((r = mongo_pool_pop(m->pool, &s.client, e)) < 0)
		return r;
	if ((r = session_ensure_indexes(m, s.client, e)) < 0) {
		mongo_jobs_session_end(&s);
		return r;
	}
	s.jobs = mongoc_client_get_collection(s.client, m->database, MONGO_JOBS_COLLECTION);
	session_demand_majority(m, s.jobs);
	*ret = s;
	return 0;
}

void
mongo_jobs_session_end(struct mongo_jobs_session *s)
{
	if (s->jobs)
		mongoc_collection_destroy(s->jobs);
	if (s->client)
		mongo_pool_release(s->pool, s->client);
	*s = (struct mongo_jobs_session){ 0 };
}

int
mongo_jobs_session_ping(struct mongo_jobs *m, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *command = BCON_NEW("ping", BCON_INT32(1));
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = mongo_jobs_session_begin(m, &s, e)) < 0)
		return r;
	if (!mongoc_client_command_simple(s.client, m->database, command, NULL, NULL, &error))
		return mongo_jobs_err(e, &error, "ping");
	return 0;
}

static void
session_options_free(mongoc_find_and_modify_opts_t **o)
{
	mongoc_find_and_modify_opts_destroy(*o);
}

/* What a findAndModify says: the changed job, or that none matched, or that the change is not yet
 * known to a majority. */
static int
session_read_change(const bson_t *reply, struct job *ret, struct err *e)
{
	bson_iter_t it;
	bson_t doc;
	uint32_t len = 0;
	const uint8_t *data = NULL;
	struct job job;
	int r;

	if (bson_iter_init_find(&it, reply, "writeConcernError"))
		return err_set(e, ERR_TIMEOUT, "change job: no majority in time");
	if (!bson_iter_init_find(&it, reply, "value") || !BSON_ITER_HOLDS_DOCUMENT(&it))
		return ERR_NOT_FOUND;
	bson_iter_document(&it, &len, &data);
	if (!bson_init_static(&doc, data, len))
		return err_set(e, ERR_CORRUPT, "change job: unreadable answer");
	if ((r = mongo_jobs_read(&doc, &job, e)) == 0 && ret)
		*ret = job;
	return r;
}

int
mongo_jobs_change(struct mongo_jobs *m, const struct mongo_jobs_change *change, struct job *ret,
		  struct err *e)
{
	SCOPED(session_options_free)
	mongoc_find_and_modify_opts_t *options = mongoc_find_and_modify_opts_new();
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session s = { 0 };
	bson_error_t error;
	bson_t reply;
	int r;

	if ((r = mongo_jobs_session_begin(m, &s, e)) < 0)
		return r;
	mongoc_find_and_modify_opts_set_update(options, change->pipeline);
	mongoc_find_and_modify_opts_set_flags(options, MONGOC_FIND_AND_MODIFY_RETURN_NEW);
	if (change->sort)
		mongoc_find_and_modify_opts_set_sort(options, change->sort);
	if (!mongoc_collection_find_and_modify_with_opts(s.jobs, change->filter, options, &reply,
							 &error))
		r = mongo_jobs_err(e, &error, "change job");
	else
		r = session_read_change(&reply, ret, e);
	bson_destroy(&reply);
	return r;
}

int
mongo_jobs_change_all(struct mongo_jobs *m, const struct mongo_jobs_change *change,
		      const char *what, int64_t *ret_changed, struct err *e)
{
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	bson_error_t error;
	bson_iter_t it;
	bson_t reply;
	int r;

	if ((r = mongo_jobs_session_begin(m, &session, e)) < 0)
		return r;
	if (!mongoc_collection_update_many(session.jobs, change->filter, change->pipeline, NULL,
					   &reply, &error))
		r = mongo_jobs_err(e, &error, what);
	else
		*ret_changed = bson_iter_init_find(&it, &reply, "modifiedCount")
				       ? bson_iter_as_int64(&it)
				       : 0;
	bson_destroy(&reply);
	return r;
}

int
mongo_jobs_session_number(struct mongo_jobs_session *session, const struct mongo_jobs_query *query,
			  const char *what, int64_t *ret, struct err *e)
{
	SCOPED(mongo_jobs_cursor_free)
	mongoc_cursor_t *cursor = mongoc_collection_aggregate(session->jobs, MONGOC_QUERY_NONE,
							      query->filter, query->options, NULL);
	const bson_t *doc;
	bson_error_t error;
	bson_iter_t it;

	*ret = 0;
	if (mongoc_cursor_next(cursor, &doc) && bson_iter_init_find(&it, doc, "n"))
		*ret = bson_iter_as_int64(&it);
	return mongoc_cursor_error(cursor, &error) ? mongo_jobs_err(e, &error, what) : 0;
}

int
mongo_jobs_find(struct mongo_jobs *m, const struct mongo_jobs_query *query, struct job *jobs,
		size_t max, size_t *ret_count, struct err *e)
{
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session s = { 0 };
	SCOPED(mongo_jobs_cursor_free) mongoc_cursor_t *cursor = NULL;
	bson_error_t error;
	const bson_t *doc;
	size_t n = 0;
	int r;

	if ((r = mongo_jobs_session_begin(m, &s, e)) < 0)
		return r;
	cursor = mongoc_collection_find_with_opts(s.jobs, query->filter, query->options, NULL);
	while (n < max && mongoc_cursor_next(cursor, &doc))
		if ((r = mongo_jobs_read(doc, &jobs[n++], e)) < 0)
			return r;
	if (mongoc_cursor_error(cursor, &error))
		return mongo_jobs_err(e, &error, "find jobs");
	*ret_count = n;
	return 0;
}

int
mongo_jobs_find_one(struct mongo_jobs *m, const bson_t *filter, struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *options = BCON_NEW("limit", BCON_INT64(1));
	size_t count = 0;
	struct job job;
	int r;

	if ((r = mongo_jobs_find(m, &(struct mongo_jobs_query){ filter, options }, &job, 1, &count,
				 e)) < 0)
		return r;
	if (count == 0)
		return ERR_NOT_FOUND;
	*ret = job;
	return 0;
}

int
mongo_jobs_find_by_id(struct mongo_jobs *m, const char *key, const struct blob_id *id,
		      struct job *ret, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = NULL;
	bson_oid_t oid;
	int r;

	if (mongo_jobs_oid(id, &oid, NULL) < 0)
		return err_set(e, ERR_NOT_FOUND, "no job of no id");
	filter = BCON_NEW(key, BCON_OID(&oid));
	r = mongo_jobs_find_one(m, filter, ret, e);
	return r == ERR_NOT_FOUND ? err_set(e, r, "no job of %s", id->hex) : r;
}

int
mongo_jobs_exists_or(struct mongo_jobs *m, const bson_oid_t *id, int code, const char *what,
		     struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *filter = BCON_NEW("_id", BCON_OID(id));
	struct job job;
	int r = mongo_jobs_find_one(m, filter, &job, e);

	if (r == ERR_NOT_FOUND)
		return err_set(e, r, "no such job");
	return r < 0 ? r : err_set(e, code, "job %s %s", job.video_fid.hex, what);
}
