/* How much one user stores: a sum over an index that holds all it needs, no document read. The
 * index is made at the first question, because only a gateway with a ceiling asks.
 *
 * Nothing is added up while jobs change: the sum is of what each job says of itself, so it holds
 * for jobs that an older or newer version of ours has made or changed, in any mixture. Only the
 * bytes of a result are younger than some jobs: those were all made at 128 kbit/s, so their sound's
 * duration tells (the tag in front is missed, the error is below one per cent). */
#include "adapter/mongo_jobs/private.h"

#define INDEX "user_stored"
#define OLD_BYTES_PER_SECOND 16000

/* clang-format off */
static bson_t *
stored_index(void)
{
	return BCON_NEW(
		"createIndexes", BCON_UTF8(MONGO_JOBS_COLLECTION),
		"indexes", "[",
			"{",
				"name", BCON_UTF8(INDEX),
				"key", "{",
					"username", BCON_INT32(1),
					"state", BCON_INT32(1),
					"source.bytes", BCON_INT32(1),
					"source.duration_s", BCON_INT32(1),
					"result.bytes", BCON_INT32(1),
					"video_settled_at", BCON_INT32(1),
					"audio_settled_at", BCON_INT32(1),
				"}",
			"}",
		"]");
}

/* false: about to go, and still there. */
#define IS_GONE(mark) "{", "$eq", "[", "{", "$type", BCON_UTF8("$" mark), "}", BCON_UTF8("date"), "]", "}"
#define IF_STATE(...) "{", "$in", "[", BCON_UTF8("$state"), "[", __VA_ARGS__, "]", "]", "}"

#define VIDEO_BYTES                                                                                \
	"{", "$cond", "[",                                                                         \
		"{", "$or", "[",                                                                   \
			IF_STATE(BCON_UTF8("uploading")), IS_GONE("video_settled_at"),             \
		"]", "}",                                                                          \
		BCON_INT64(0),                                                                     \
		"{", "$ifNull", "[", BCON_UTF8("$source.bytes"), BCON_INT64(0), "]", "}",          \
	"]", "}"
#define OLD_RESULT_BYTES                                                                           \
	"{", "$toLong", "{", "$multiply", "[",                                                     \
		"{", "$ifNull", "[", BCON_UTF8("$source.duration_s"), BCON_INT64(0), "]", "}",     \
		BCON_INT64(OLD_BYTES_PER_SECOND),                                                  \
	"]", "}", "}"
#define RESULT_BYTES                                                                               \
	"{", "$cond", "[",                                                                         \
		"{", "$and", "[",                                                                  \
			IF_STATE(BCON_UTF8("done"), BCON_UTF8("expired")),                         \
			"{", "$not", "[", IS_GONE("audio_settled_at"), "]", "}",                   \
		"]", "}",                                                                          \
		"{", "$ifNull", "[", BCON_UTF8("$result.bytes"), OLD_RESULT_BYTES, "]", "}",       \
		BCON_INT64(0),                                                                     \
	"]", "}"

static bson_t *
stored_sum(const char *username)
{
	return BCON_NEW(
		"pipeline", "[",
			"{", "$match", "{", "username", BCON_UTF8(username), "}", "}",
			"{", "$group", "{",
				"_id", BCON_NULL,
				"n", "{", "$sum", "{", "$add", "[",
					VIDEO_BYTES,
					RESULT_BYTES,
				"]", "}", "}",
			"}", "}",
		"]");
}
/* clang-format on */

static int
stored_ensure_index(struct mongo_jobs *m, struct mongo_jobs_session *session, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *command = NULL;
	bson_error_t error;

	if (atomic_load(&m->stored_indexed))
		return 0;
	command = stored_index();
	if (!mongoc_client_write_command_with_opts(session->client, m->database, command, NULL,
						   NULL, &error))
		return mongo_jobs_err(e, &error, "index of what users store");
	atomic_store(&m->stored_indexed, true);
	return 0;
}

int
mongo_jobs_stored(struct job_desk *d, const char *username, int64_t *ret_bytes, struct err *e)
{
	SCOPED(mongo_jobs_bson_free) bson_t *pipeline = stored_sum(username);
	SCOPED(mongo_jobs_bson_free) bson_t *options = BCON_NEW("hint", BCON_UTF8(INDEX));
	SCOPED(mongo_jobs_session_end) struct mongo_jobs_session session = { 0 };
	struct mongo_jobs *m = mongo_jobs_of_desk(d);
	int64_t bytes;
	int r;

	if ((r = mongo_jobs_session_begin(m, &session, e)) < 0 ||
	    (r = stored_ensure_index(m, &session, e)) < 0 ||
	    (r = mongo_jobs_session_number(&session,
					   &(struct mongo_jobs_query){ pipeline, options },
					   "sum what a user stores", &bytes, e)) < 0)
		return r;
	*ret_bytes = bytes;
	return 0;
}
