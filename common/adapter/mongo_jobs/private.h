/* What the parts of the ledger on MongoDB share. Only files of this folder include it. */
#ifndef TONEARM_ADAPTER_MONGO_JOBS_PRIVATE_H
#define TONEARM_ADAPTER_MONGO_JOBS_PRIVATE_H

#include <stdatomic.h>

#include <mongoc/mongoc.h>

#include "adapter/mongo_jobs/mongo_jobs.h"

struct mongo_jobs {
	struct ledger ledger;
	struct mongo_pool *pool;
	char database[64];
	atomic_bool indexed, stored_indexed;
};

static inline struct mongo_jobs *
mongo_jobs_of_life(struct job_life *l)
{
	return CONTAINER_OF(l, struct mongo_jobs, ledger.life);
}

static inline struct mongo_jobs *
mongo_jobs_of_outbox(struct job_outbox *o)
{
	return CONTAINER_OF(o, struct mongo_jobs, ledger.outbox);
}

static inline struct mongo_jobs *
mongo_jobs_of_notice(struct job_notice *n)
{
	return CONTAINER_OF(n, struct mongo_jobs, ledger.notice);
}

static inline struct mongo_jobs *
mongo_jobs_of_desk(struct job_desk *d)
{
	return CONTAINER_OF(d, struct mongo_jobs, ledger.desk);
}

static inline struct mongo_jobs *
mongo_jobs_of_leftover(struct job_leftover *l)
{
	return CONTAINER_OF(l, struct mongo_jobs, ledger.leftover);
}

#define MONGO_JOBS_COLLECTION "jobs"

extern const struct job_outbox_ops mongo_jobs_outbox;
extern const struct job_notice_ops mongo_jobs_notice;
extern const struct job_desk_ops mongo_jobs_desk;
extern const struct job_leftover_ops mongo_jobs_leftover;

/* One client and the collection, majority on both sides, for one call. Zero it before
 * mongo_jobs_session_begin. */
struct mongo_jobs_session {
	struct mongo_pool *pool;
	mongoc_client_t *client;
	mongoc_collection_t *jobs;
};
int mongo_jobs_session_begin(struct mongo_jobs *m, struct mongo_jobs_session *ret, struct err *e);
void mongo_jobs_session_end(struct mongo_jobs_session *s);
int mongo_jobs_session_ping(struct mongo_jobs *m, struct err *e);

/* clang-format off */
/* Values of ours never hold "{" and the like as keys; a user's text in a pipeline goes through
 * JOB_TEXT, because a plain "$x" would be read as a field there. */
#define JOB_TEXT(text) "{", "$literal", BCON_UTF8(text), "}"
#define JOB_ANY(...) "{", "$in", "[", __VA_ARGS__, "]", "}"
#define JOB_REMOVE BCON_UTF8("$$REMOVE")
#define JOB_NOW BCON_UTF8("$$NOW")
#define JOB_NOW_AND(ms) "{", "$add", "[", JOB_NOW, BCON_INT64(ms), "]", "}"
#define JOB_AGO(ms) "{", "$subtract", "[", JOB_NOW, BCON_INT64(ms), "]", "}"
#define JOB_DUE "$expr", "{", "$lte", "[", BCON_UTF8("$not_before"), JOB_NOW, "]", "}"

/* What attempts have registered, and the same without one (an empty list is removed). */
#define JOB_OUTPUTS "{", "$ifNull", "[", BCON_UTF8("$outputs"), "[", "]", "]", "}"
#define JOB_OTHER_OUTPUTS(oid)                                                                     \
	"{", "$setDifference", "[", JOB_OUTPUTS, "[", BCON_OID(oid), "]", "]", "}"
#define JOB_OUTPUTS_WITHOUT(oid)                                                                   \
	"{", "$cond", "[",                                                                         \
		"{", "$eq", "[", JOB_OTHER_OUTPUTS(oid), "[", "]", "]", "}",                       \
		JOB_REMOVE,                                                                        \
		JOB_OTHER_OUTPUTS(oid),                                                            \
	"]", "}"

/* The history and the attempt that ends now, whose lease stands in the document. */
#define JOB_HISTORY_WITH(name_of_end, ...)                                                         \
	"{", "$slice", "[",                                                                        \
		"{", "$concatArrays", "[",                                                         \
			"{", "$ifNull", "[", BCON_UTF8("$history"), "[", "]", "]", "}",            \
			"[", "{",                                                                  \
				"owner", BCON_UTF8("$lease.owner"),                                \
				"began_at", BCON_UTF8("$lease.began_at"),                          \
				"ended_at", JOB_NOW,                                               \
				"end", BCON_UTF8(name_of_end),                                     \
				"error", __VA_ARGS__,                                              \
			"}", "]",                                                                  \
		"]", "}",                                                                          \
		BCON_INT32(-JOB_HISTORY_MAX),                                                      \
	"]", "}"
/* clang-format on */

static inline void
mongo_jobs_bson_free(bson_t **b)
{
	bson_destroy(*b);
}

static inline void
mongo_jobs_cursor_free(mongoc_cursor_t **cursor)
{
	mongoc_cursor_destroy(*cursor);
}

/* Changes at most one job that filter matches, the first by sort (may be NULL); ret (may be NULL)
 * is as it is then. NOT_FOUND, without words: none matched. */
struct mongo_jobs_change {
	const bson_t *filter, *pipeline, *sort;
};
int mongo_jobs_change(struct mongo_jobs *m, const struct mongo_jobs_change *change, struct job *ret,
		      struct err *e);
/* The same for all that match, in no order; what: for the error's words. */
int mongo_jobs_change_all(struct mongo_jobs *m, const struct mongo_jobs_change *change,
			  const char *what, int64_t *ret_changed, struct err *e);
/* Jobs that filter matches, at most max. options: sort, limit. */
struct mongo_jobs_query {
	const bson_t *filter, *options;
};
/* The number n of the first document of a pipeline (its filter); 0 when there is none. */
int mongo_jobs_session_number(struct mongo_jobs_session *session,
			      const struct mongo_jobs_query *query, const char *what, int64_t *ret,
			      struct err *e);
int mongo_jobs_find(struct mongo_jobs *m, const struct mongo_jobs_query *query, struct job *jobs,
		    size_t max, size_t *ret_count, struct err *e);
/* The only one, or NOT_FOUND, without words. */
int mongo_jobs_find_one(struct mongo_jobs *m, const bson_t *filter, struct job *ret, struct err *e);
/* The one whose key (_id, mp3_fid) is id, or NOT_FOUND. */
int mongo_jobs_find_by_id(struct mongo_jobs *m, const char *key, const struct blob_id *id,
			  struct job *ret, struct err *e);
/* Why a change found nothing: NOT_FOUND when there is no such job, else code and what. */
int mongo_jobs_exists_or(struct mongo_jobs *m, const bson_oid_t *id, int code, const char *what,
			 struct err *e);
int mongo_jobs_history(struct job_desk *d, const struct blob_id *video, struct job_attempt *list,
		       size_t *ret_count, struct err *e);
int mongo_jobs_stored(struct job_desk *d, const char *username, int64_t *ret_bytes, struct err *e);
/* Words for a server's error, and the code for it. */
int mongo_jobs_err(struct err *e, const bson_error_t *error, const char *what);

/* Calls fn for each output that doc has registered, until one result is not 0, which is returned. */
typedef int (*mongo_jobs_output_fn)(void *arg, const struct blob_id *output, struct err *e);
int mongo_jobs_each_output(const bson_t *doc, mongo_jobs_output_fn fn, void *arg, struct err *e);
/* INVALID when hex is no id. */
int mongo_jobs_oid(const struct blob_id *id, bson_oid_t *ret, struct err *e);
/* A document (owned by the caller) of a settled spec. */
bson_t *mongo_jobs_spec_new(const struct media_spec *spec);
/* What doc asks for, settled: the default where it has no spec, MEDIA_UNKNOWN where it asks for what
 * this build does not know or cannot make. */
struct media_spec mongo_jobs_spec_read(const bson_t *doc);
/* What was found in a source, as arrays of documents (owned by the caller), and back into job: what
 * is no warning or track of this build is passed over. */
bson_t *mongo_jobs_warnings_new(const struct warnings *warnings);
bson_t *mongo_jobs_tracks_new(const struct tracks *tracks);
void mongo_jobs_findings_read(const bson_t *doc, struct job *job);
/* CORRUPT when doc is no job. */
int mongo_jobs_read(const bson_t *doc, struct job *ret, struct err *e);
/* Copies text; what is not UTF-8 becomes '?', because the server refuses it. */
void mongo_jobs_text(char *to, size_t size, const char *text);

/* The calls of port/job_life.h, by part of a job's life: create.c, take.c, lease.c, outputs.c. */
int mongo_jobs_create(struct job_life *l, const struct job *job, struct err *e);
int mongo_jobs_enqueue(struct job_life *l, const struct blob_id *video,
		       const struct job_source *source, const struct media_spec *spec,
		       struct err *e);
int mongo_jobs_discard(struct job_life *l, const struct blob_id *video, struct err *e);
int mongo_jobs_adopt(struct job_life *l, const struct job_message *message, struct err *e);
int mongo_jobs_list_waiting(struct job_life *l, struct job_waiting *users, size_t max,
			    size_t *ret_count, struct err *e);
int mongo_jobs_lease_oldest(struct job_life *l, const struct job_lease_terms *terms,
			    const char *const *users, size_t count, struct job *ret, struct err *e);
int mongo_jobs_lease_one(struct job_life *l, const struct job_lease_terms *terms,
			 const struct blob_id *video, struct job *ret, struct err *e);
int mongo_jobs_list_outputs(struct job_life *l, const struct job_lease *lease, struct blob_id *ids,
			    size_t *ret_count, struct err *e);
int mongo_jobs_renew(struct job_life *l, const struct job_lease *lease, int64_t ms,
		     const struct job_progress *progress, struct err *e);
int mongo_jobs_finish(struct job_life *l, const struct job_lease *lease,
		      const struct job_result *result, struct err *e);
int mongo_jobs_fail(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
		    struct err *e);
int mongo_jobs_retry(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
		     int64_t delay_ms, struct err *e);
int mongo_jobs_hand_back(struct job_life *l, const struct job_lease *lease,
			 const struct job_error *why, struct err *e);

#endif
