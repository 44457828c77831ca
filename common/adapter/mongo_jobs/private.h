/* What the parts of the MongoDB job store share. Only job_mongo*.c include it. */
#ifndef TONEARM_ADAPTER_MONGO_JOBS_PRIVATE_H
#define TONEARM_ADAPTER_MONGO_JOBS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <mongoc/mongoc.h>

#include "adapter/mongo_jobs/mongo_jobs.h"

/* Who was served when, by this store (job_mongo_turns.c). Threads: any. */
#define TURNS_MAX 256
struct turn {
	char username[USERNAME_MAX + 1];
	uint64_t number; /* 0 = free */
};
struct turns {
	pthread_mutex_t lock;
	struct turn of[TURNS_MAX];
	uint64_t last;
};
void turns_init(struct turns *t);
void turns_fini(struct turns *t);
void turns_note(struct turns *t, const char *username);
/* visit runs under the lock. */
void turns_each(struct turns *t, void (*visit)(void *arg, const char *username, uint64_t number),
		void *arg);

struct job_mongo {
	struct job_store port;
	struct mongo_pool *pool;
	char database[64];
	atomic_bool indexed;
	struct turns turns;
};

static inline struct job_mongo *
job_mongo_of(struct job_store *s)
{
	return CONTAINER_OF(s, struct job_mongo, port);
}

/* One client and the collection, majority on both sides, for one call. Zero it before
 * job_session_begin. */
struct job_session {
	struct mongo_pool *pool;
	mongoc_client_t *client;
	mongoc_collection_t *jobs;
};
int job_session_begin(struct job_mongo *m, struct job_session *ret, struct err *e);
void job_session_end(struct job_session *s);
int job_session_ping(struct job_mongo *m, struct err *e);

/* Values of ours never hold "{" and the like as keys; a user's text in a pipeline goes through
 * JOB_TEXT, because a plain "$x" would be read as a field there. */
#define JOB_TEXT(text) "{", "$literal", BCON_UTF8(text), "}"
#define JOB_NOW BCON_UTF8("$$NOW")
#define JOB_DUE "$expr", "{", "$lte", "[", BCON_UTF8("$not_before"), BCON_UTF8("$$NOW"), "]", "}"

/* What attempts have registered, and the same without one (an empty list is removed). */
#define JOB_OUTPUTS "{", "$ifNull", "[", BCON_UTF8("$outputs"), "[", "]", "]", "}"
#define JOB_OTHER_OUTPUTS(oid)                                                                     \
	"{", "$setDifference", "[", JOB_OUTPUTS, "[", BCON_OID(oid), "]", "]", "}"
#define JOB_OUTPUTS_WITHOUT(oid)                                                                   \
	"{", "$cond", "[", "{", "$eq", "[", JOB_OTHER_OUTPUTS(oid), "[", "]", "]", "}",            \
		BCON_UTF8("$$REMOVE"), JOB_OTHER_OUTPUTS(oid), "]", "}"

static inline void
job_bson_free_p(bson_t **b)
{
	bson_destroy(*b);
}

static inline void
job_cursor_free_p(mongoc_cursor_t **cursor)
{
	mongoc_cursor_destroy(*cursor);
}

/* Changes at most one job that filter matches, the first by sort (may be NULL); ret (may be NULL)
 * is as it is then. NOT_FOUND, without words: none matched. */
struct job_change {
	const bson_t *filter, *pipeline, *sort;
};
int job_mongo_change(struct job_mongo *m, const struct job_change *change, struct job *ret,
		     struct err *e);
/* The same for all that match, in no order; what: for the error's words. */
int job_mongo_change_all(struct job_mongo *m, const struct job_change *change, const char *what,
			 int64_t *ret_changed, struct err *e);
/* The number n of a pipeline's first document; 0 when there is none. */
int job_session_number(struct job_session *session, const bson_t *pipeline, const char *what,
		       int64_t *ret, struct err *e);
/* Jobs that filter matches, at most max. options: sort, limit. */
struct job_query {
	const bson_t *filter, *options;
};
int job_mongo_find(struct job_mongo *m, const struct job_query *query, struct job *jobs, size_t max,
		   size_t *ret_count, struct err *e);
/* The only one, or NOT_FOUND, without words. */
int job_mongo_find_one(struct job_mongo *m, const bson_t *filter, struct job *ret, struct err *e);
/* Words for a server's error, and the code for it. */
int job_mongo_err(struct err *e, const bson_error_t *error, const char *what);

/* INVALID when hex is no id. */
int job_oid(const struct blob_id *id, bson_oid_t *ret, struct err *e);
/* CORRUPT when doc is no job. */
int job_from_bson(const bson_t *doc, struct job *ret, struct err *e);
/* Copies text; what is not UTF-8 becomes '?', because the server refuses it. */
void job_text_copy(char *to, size_t size, const char *text);

/* The calls, one file per part of a job's life. */
int job_mongo_create(struct job_store *s, const struct job *job, struct err *e);
int job_mongo_enqueue(struct job_store *s, const struct blob_id *video,
		      const struct job_source *source, struct err *e);
int job_mongo_discard(struct job_store *s, const struct blob_id *video, struct err *e);
int job_mongo_adopt(struct job_store *s, const struct job_message *message, struct err *e);
int job_mongo_lease_next(struct job_store *s, const char *owner, int64_t ms,
			 const struct blob_id *only, struct job *ret, struct err *e);
int job_mongo_renew(struct job_store *s, const struct job_lease *lease, int64_t ms,
		    const struct job_progress *progress, struct err *e);
int job_mongo_finish(struct job_store *s, const struct job_lease *lease,
		     const struct job_result *result, struct err *e);
int job_mongo_fail(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
		   struct err *e);
int job_mongo_retry(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
		    int64_t delay_ms, struct err *e);
int job_mongo_give_back(struct job_store *s, const struct job_lease *lease,
			const struct job_error *why, struct err *e);
int job_mongo_free_expired(struct job_store *s, int64_t *ret_freed, struct err *e);
int job_mongo_list_unpublished(struct job_store *s, enum job_publication which, struct job *jobs,
			       size_t max, size_t *ret_count, struct err *e);
int job_mongo_mark_published(struct job_store *s, const struct job *job, enum job_publication which,
			     struct err *e);
int job_mongo_forget_published(struct job_store *s, enum job_publication which,
			       int64_t *ret_forgotten, struct err *e);
int job_mongo_claim_notice(struct job_store *s, const struct blob_id *video, const char *owner,
			   int64_t ms, struct err *e);
int job_mongo_each_leftover(struct job_store *s, enum job_leftover which, int64_t age_ms,
			    job_leftover_fn fn, void *arg, struct err *e);
int job_mongo_expire(struct job_store *s, const struct job *job, enum job_leftover which,
		     struct err *e);
int job_mongo_settle(struct job_store *s, const struct blob_id *video, enum job_leftover which,
		     const struct blob_id *blob, struct err *e);
int job_mongo_is_registered(struct job_store *s, const struct blob_id *blob, struct err *e);
int job_mongo_mark_notified(struct job_store *s, const struct job_message *message, struct err *e);
int job_mongo_load(struct job_store *s, const char *username, struct job_load *ret, struct err *e);
int job_mongo_list(struct job_store *s, const struct job_filter *filter, struct job *jobs,
		   size_t max, size_t *ret_count, struct err *e);
int job_mongo_requeue_failed(struct job_store *s, const struct blob_id *only, const char *username,
			     int64_t *ret_requeued, struct err *e);

#endif
