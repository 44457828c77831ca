/* Job store: the ledger. One record per video; it is also the outbox of both queues.
 *
 * Threads    a store may be shared.
 * Time       the server's ($$NOW). Any call blocks at most the store's deadline (3 s by default).
 * Changes    every change is compare-and-set and majority-journaled before 0 is returned; every
 * write under a lease names its token and is CONFLICT once the lease is someone else's. Errors
 * NOT_FOUND no such job, or nothing to do; CONFLICT someone was faster; UNAVAILABLE, TIMEOUT try
 * again. */
#ifndef TONEARM_PORT_JOB_STORE_H
#define TONEARM_PORT_JOB_STORE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/job.h"

/* Which publication of a job is meant: on `video` while it waits, or on `mp3`/`failed` once it
 * ended. */
enum job_publication { JOB_PUBLISH_VIDEO, JOB_PUBLISH_RESULT };

/* A message may be lost with its broker: a job that waits, due, this long after its publication on
 * `video` counts as unpublished again. A doubled permit is harmless. */
#define JOB_REPUBLISH_MS 600000
/* A queue that is gone takes back the publications of results that are at most this old and were
 * not announced: where MsgQ's notification runs no result is ever recorded as announced. */
#define JOB_RESULT_LOST_MS (24 * 3600 * INT64_C(1000))

struct job_counts {
	int64_t by_state[JOB_STATES];
	int64_t oldest_queued_ms; /* age of the oldest job that could run now; 0 = none */
};

/* What of one user's is under way: jobs that are not ended, and the bytes that its uploads have
 * announced (source.bytes while UPLOADING; stored bytes are the blob stores' to count). */
struct job_load {
	int64_t unfinished, uploading_bytes;
};

/* Which jobs an operator means. */
struct job_filter {
	const enum job_state *state; /* NULL = any */
	const char *username;        /* NULL = any */
};

/* What may be left of a job, for the janitor. Ages are by the ledger's clock. */
enum job_leftover {
	JOB_LEFT_UPLOAD, /* UPLOADING for that long, or given up by a janitor that did not finish */
	JOB_LEFT_OUTPUT, /* registered by an attempt, not the job's mp3, and no lease for that long
			  */
	JOB_LEFT_VIDEO,  /* the video of a job that ended that long ago, its result published */
	JOB_LEFT_AUDIO,  /* the same job's mp3 */
};
/* Attempts whose outputs one job remembers; older ones are left to a search for foreign chunks. */
#define JOB_OUTPUTS_MAX 64
typedef int (*job_leftover_fn)(const struct job *, const struct blob_id *blob, void *arg,
			       struct err *);

struct job_store;
struct job_store_ops {
	int (*create)(struct job_store *, const struct job *, struct err *);
	int (*enqueue)(struct job_store *, const struct blob_id *, const struct job_source *,
		       struct err *);
	int (*discard)(struct job_store *, const struct blob_id *, struct err *);
	int (*adopt)(struct job_store *, const struct job_message *, struct err *);
	int (*get)(struct job_store *, const struct blob_id *, struct job *, struct err *);
	int (*find_by_mp3)(struct job_store *, const struct blob_id *, struct job *, struct err *);
	int (*lease_next)(struct job_store *, const char *owner, int64_t ms,
			  const struct blob_id *only, struct job *, struct err *);
	int (*renew)(struct job_store *, const struct job_lease *, int64_t ms,
		     const struct job_progress *, struct err *);
	int (*finish)(struct job_store *, const struct job_lease *, const struct job_result *,
		      struct err *);
	int (*fail)(struct job_store *, const struct job_lease *, const struct job_error *,
		    struct err *);
	int (*retry)(struct job_store *, const struct job_lease *, const struct job_error *,
		     int64_t delay_ms, struct err *);
	int (*give_back)(struct job_store *, const struct job_lease *, const struct job_error *,
			 struct err *);
	int (*free_expired)(struct job_store *, int64_t *ret_freed, struct err *);
	int (*list_unpublished)(struct job_store *, enum job_publication, struct job *jobs,
				size_t max, size_t *ret_count, struct err *);
	int (*mark_published)(struct job_store *, const struct job *, enum job_publication,
			      struct err *);
	int (*forget_published)(struct job_store *, enum job_publication, int64_t *ret_forgotten,
				struct err *);
	int (*claim_notice)(struct job_store *, const struct blob_id *, const char *owner,
			    int64_t ms, struct err *);
	int (*mark_notified)(struct job_store *, const struct job_message *, struct err *);
	int (*count)(struct job_store *, struct job_counts *, struct err *);
	int (*load)(struct job_store *, const char *username, struct job_load *, struct err *);
	int (*list)(struct job_store *, const struct job_filter *, struct job *jobs, size_t max,
		    size_t *ret_count, struct err *);
	int (*requeue_failed)(struct job_store *, const struct blob_id *only, const char *username,
			      int64_t *ret_requeued, struct err *);
	int (*each_leftover)(struct job_store *, enum job_leftover, int64_t age_ms, job_leftover_fn,
			     void *arg, struct err *);
	int (*expire)(struct job_store *, const struct job *, enum job_leftover, struct err *);
	int (*settle)(struct job_store *, const struct blob_id *video, enum job_leftover,
		      const struct blob_id *blob, struct err *);
	int (*is_registered)(struct job_store *, const struct blob_id *, struct err *);
	int (*ping)(struct job_store *, struct err *);
	void (*close)(struct job_store *);
};
struct job_store {
	const struct job_store_ops *ops;
};

/* Registers a job: state (UPLOADING or QUEUED), video_fid, username, source are taken. CONFLICT if
 * the video has a job. */
static inline int
job_create(struct job_store *s, const struct job *job, struct err *e)
{
	return s->ops->create(s, job, e);
}
/* UPLOADING -> QUEUED, with the source as it is now known. The upload may be acknowledged after
 * this. */
static inline int
job_enqueue(struct job_store *s, const struct blob_id *video, const struct job_source *source,
	    struct err *e)
{
	return s->ops->enqueue(s, video, source, e);
}
/* Forgets a job that is still UPLOADING; 0 also when there is none. */
static inline int
job_discard(struct job_store *s, const struct blob_id *video, struct err *e)
{
	return s->ops->discard(s, video, e);
}
/* A message without a ledger entry (from MsgQ's gateway) gets one: QUEUED, already published. A job
 * that exists is left alone (0). */
static inline int
job_adopt(struct job_store *s, const struct job_message *message, struct err *e)
{
	return s->ops->adopt(s, message, e);
}
static inline int
job_get(struct job_store *s, const struct blob_id *video, struct job *ret, struct err *e)
{
	return s->ops->get(s, video, ret, e);
}
static inline int
job_find_by_mp3(struct job_store *s, const struct blob_id *mp3, struct job *ret, struct err *e)
{
	return s->ops->find_by_mp3(s, mp3, ret, e);
}
/* Leases the fairest QUEUED job whose not_before has passed (user with the fewest running, then who
 * was served longest ago by this store, then the oldest), or, with only, that job and no other.
 * attempts is counted here. NOT_FOUND: nothing to do. The job carries the lease, and with it a
 * fresh id, already registered, for its output. */
static inline int
job_lease_next(struct job_store *s, const char *owner, int64_t ms, const struct blob_id *only,
	       struct job *ret, struct err *e)
{
	return s->ops->lease_next(s, owner, ms, only, ret, e);
}
/* Extends the lease to now + ms, and records how far its work is (what is no number counts as 0).
 */
static inline int
job_renew(struct job_store *s, const struct job_lease *lease, int64_t ms,
	  const struct job_progress *progress, struct err *e)
{
	return s->ops->renew(s, lease, ms, progress, e);
}
/* LEASED -> DONE with its output. */
static inline int
job_finish(struct job_store *s, const struct job_lease *lease, const struct job_result *result,
	   struct err *e)
{
	return s->ops->finish(s, lease, result, e);
}
/* LEASED -> FAILED, for good. */
static inline int
job_fail(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
	 struct err *e)
{
	return (s->ops->fail)(s, lease, why, e); /* cmocka has a macro fail() */
}
/* LEASED -> QUEUED, not before now + delay_ms; the relay publishes it again then. */
static inline int
job_retry(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
	  int64_t delay_ms, struct err *e)
{
	return s->ops->retry(s, lease, why, delay_ms, e);
}
/* LEASED -> QUEUED at once, the attempt not counted: a shutdown (why says so), or a server of ours
 * that is away (NULL: what stands there of an attempt before stays). */
static inline int
job_give_back(struct job_store *s, const struct job_lease *lease, const struct job_error *why,
	      struct err *e)
{
	return s->ops->give_back(s, lease, why, e);
}
/* LEASED jobs whose lease has run out -> QUEUED, unpublished (the attempt stays counted). */
static inline int
job_free_expired(struct job_store *s, int64_t *ret_freed, struct err *e)
{
	return s->ops->free_expired(s, ret_freed, e);
}
/* Jobs that are due and lack the publication, oldest first, at most max. */
static inline int
job_list_unpublished(struct job_store *s, enum job_publication which, struct job *jobs, size_t max,
		     size_t *ret_count, struct err *e)
{
	return s->ops->list_unpublished(s, which, jobs, max, ret_count, e);
}
/* Records the publication of job as it was read (same state and attempts; on `video` also the same
 * updated_ms, unless 0, because a job given back looks the same but has lost its message); CONFLICT
 * if it moved on. */
static inline int
job_mark_published(struct job_store *s, const struct job *job, enum job_publication which,
		   struct err *e)
{
	return s->ops->mark_published(s, job, which, e);
}
/* The queue of this publication is gone with all that was in it: QUEUED jobs (VIDEO), or ended jobs
 * that were not announced (RESULT, of the last JOB_RESULT_LOST_MS), are unpublished again. */
static inline int
job_forget_published(struct job_store *s, enum job_publication which, int64_t *ret_forgotten,
		     struct err *e)
{
	return s->ops->forget_published(s, which, ret_forgotten, e);
}
/* Claims, before it is announced, that owner announces the result of video. CONFLICT: it was
 * announced before, or another owner has the claim. A claim that is older than ms passes to another
 * owner only when that one asks again after another ms: a holder that lives and could not reach the
 * store meanwhile has recorded by then. NOT_FOUND: no job of ours. */
static inline int
job_claim_notice(struct job_store *s, const struct blob_id *video, const char *owner, int64_t ms,
		 struct err *e)
{
	return s->ops->claim_notice(s, video, owner, ms, e);
}
/* Records that the result of message was announced. CONFLICT: it was announced before (say nothing
 * again). A job that MsgQ's converter did becomes DONE with the message's mp3_fid. NOT_FOUND: no
 * job of ours. */
static inline int
job_mark_notified(struct job_store *s, const struct job_message *message, struct err *e)
{
	return s->ops->mark_notified(s, message, e);
}
static inline int
job_count(struct job_store *s, struct job_counts *ret, struct err *e)
{
	return s->ops->count(s, ret, e);
}
static inline int
job_load(struct job_store *s, const char *username, struct job_load *ret, struct err *e)
{
	return s->ops->load(s, username, ret, e);
}
/* The newest jobs that filter names, newest first, at most max. */
static inline int
job_list(struct job_store *s, const struct job_filter *filter, struct job *jobs, size_t max,
	 size_t *ret_count, struct err *e)
{
	return s->ops->list(s, filter, jobs, max, ret_count, e);
}
/* FAILED -> QUEUED as on the first day: no attempts, no error, neither published nor announced, so
 * that the relay publishes it and its new result is announced. Only this job (NULL = all), only
 * this user's (NULL = anyone's); a job in another state is left alone. */
static inline int
job_requeue_failed(struct job_store *s, const struct blob_id *only, const char *username,
		   int64_t *ret_requeued, struct err *e)
{
	return s->ops->requeue_failed(s, only, username, ret_requeued, e);
}
/* Calls fn for each leftover of a kind that is at least age_ms old, with the blob meant (of an
 * upload its video); a negative result ends it and is returned. fn may use the store. */
static inline int
job_each_leftover(struct job_store *s, enum job_leftover which, int64_t age_ms, job_leftover_fn fn,
		  void *arg, struct err *e)
{
	return s->ops->each_leftover(s, which, age_ms, fn, arg, e);
}
/* To be called before the blob of a leftover goes: UPLOAD and AUDIO -> EXPIRED; after VIDEO a
 * failed job is not requeued any more. CONFLICT when the job has moved on since it was read. */
static inline int
job_expire(struct job_store *s, const struct job *job, enum job_leftover which, struct err *e)
{
	return s->ops->expire(s, job, which, e);
}
/* To be called after the blob has gone (or is to stay for ever): the leftover is not listed again.
 * An upload's job is forgotten. 0 also when someone else did it. */
static inline int
job_settle(struct job_store *s, const struct blob_id *video, enum job_leftover which,
	   const struct blob_id *blob, struct err *e)
{
	return s->ops->settle(s, video, which, blob, e);
}
/* 0 when a job or an attempt of one has registered the blob; NOT_FOUND. */
static inline int
job_is_registered(struct job_store *s, const struct blob_id *blob, struct err *e)
{
	return s->ops->is_registered(s, blob, e);
}
static inline int
job_store_ping(struct job_store *s, struct err *e)
{
	return s->ops->ping(s, e);
}
static inline void
job_store_close(struct job_store *s)
{
	if (s)
		s->ops->close(s);
}

SCOPE_DEFINE(struct job_store, job_store_close)

#endif
