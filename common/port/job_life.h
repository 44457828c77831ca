/* The ledger, a job's life: registered, uploaded, leased by a converter, and how it ended. One
 * record per job; its id is the video's.
 *
 * Threads    may be shared, like every port of the ledger.
 * Time       the server's. Any call blocks at most the ledger's deadline (3 s by default).
 * Changes    every change is compare-and-set and majority-journaled before 0 is returned; every
 *            write under a lease names its token, and is CONFLICT once the lease is someone else's.
 * Errors     NOT_FOUND no such job, or nothing to do; CONFLICT someone was faster; UNAVAILABLE,
 *            TIMEOUT try again. */
#ifndef TONEARM_PORT_JOB_LIFE_H
#define TONEARM_PORT_JOB_LIFE_H

#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

struct job_life;
struct job_life_ops {
	int (*create)(struct job_life *, const struct job *, struct err *);
	int (*enqueue)(struct job_life *, const struct blob_id *, const struct job_source *,
		       struct err *);
	int (*discard)(struct job_life *, const struct blob_id *, struct err *);
	int (*adopt)(struct job_life *, const struct job_message *, struct err *);
	int (*get)(struct job_life *, const struct blob_id *, struct job *, struct err *);
	int (*lease_next)(struct job_life *, const char *owner, int64_t ms,
			  const struct blob_id *only, struct job *, struct err *);
	int (*renew)(struct job_life *, const struct job_lease *, int64_t ms,
		     const struct job_progress *, struct err *);
	int (*finish)(struct job_life *, const struct job_lease *, const struct job_result *,
		      struct err *);
	int (*fail)(struct job_life *, const struct job_lease *, const struct job_error *,
		    struct err *);
	int (*retry)(struct job_life *, const struct job_lease *, const struct job_error *,
		     int64_t delay_ms, struct err *);
	int (*hand_back)(struct job_life *, const struct job_lease *, const struct job_error *,
			 struct err *);
	int (*ping)(struct job_life *, struct err *);
};
struct job_life {
	const struct job_life_ops *ops;
};

/* Registers a job: state (UPLOADING or QUEUED), video_fid, username, source are taken. CONFLICT if
 * the video has a job. */
static inline int
job_create(struct job_life *l, const struct job *job, struct err *e)
{
	return l->ops->create(l, job, e);
}

/* UPLOADING -> QUEUED, with the source as it is now known. The upload may be acknowledged after
 * this. */
static inline int
job_enqueue(struct job_life *l, const struct blob_id *video, const struct job_source *source,
	    struct err *e)
{
	return l->ops->enqueue(l, video, source, e);
}

/* Forgets a job that is still UPLOADING; 0 also when there is none. */
static inline int
job_discard(struct job_life *l, const struct blob_id *video, struct err *e)
{
	return l->ops->discard(l, video, e);
}

/* A message without a ledger entry (from MsgQ's gateway) gets one: QUEUED, already published. A job
 * that exists is left alone (0). */
static inline int
job_adopt(struct job_life *l, const struct job_message *message, struct err *e)
{
	return l->ops->adopt(l, message, e);
}

static inline int
job_get(struct job_life *l, const struct blob_id *video, struct job *ret, struct err *e)
{
	return l->ops->get(l, video, ret, e);
}

/* Leases the fairest QUEUED job whose not_before has passed (user with the fewest running, then who
 * was served longest ago by this store, then the oldest), or, with only, that job and no other.
 * attempts is counted here. NOT_FOUND: nothing to do. The job carries the lease, and with it a
 * fresh id, already registered, for its output. */
static inline int
job_lease_next(struct job_life *l, const char *owner, int64_t ms, const struct blob_id *only,
	       struct job *ret, struct err *e)
{
	return l->ops->lease_next(l, owner, ms, only, ret, e);
}

/* Extends the lease to now + ms, and records how far its work is (what is no number counts as 0). */
static inline int
job_renew(struct job_life *l, const struct job_lease *lease, int64_t ms,
	  const struct job_progress *progress, struct err *e)
{
	return l->ops->renew(l, lease, ms, progress, e);
}

/* LEASED -> DONE with its output. */
static inline int
job_finish(struct job_life *l, const struct job_lease *lease, const struct job_result *result,
	   struct err *e)
{
	return l->ops->finish(l, lease, result, e);
}

/* LEASED -> FAILED, for good. */
static inline int
job_fail(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
	 struct err *e)
{
	return (l->ops->fail)(l, lease, why, e); /* cmocka has a macro fail() */
}

/* LEASED -> QUEUED, not before now + delay_ms; the outbox publishes it again then. */
static inline int
job_retry(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
	  int64_t delay_ms, struct err *e)
{
	return l->ops->retry(l, lease, why, delay_ms, e);
}

/* LEASED -> QUEUED at once, the attempt not counted: a shutdown (why says so), or a server of ours
 * that is away (NULL: what stands there of an attempt before stays). */
static inline int
job_hand_back(struct job_life *l, const struct job_lease *lease, const struct job_error *why,
	      struct err *e)
{
	return l->ops->hand_back(l, lease, why, e);
}

/* 0 when the ledger's server answers now. */
static inline int
job_life_ping(struct job_life *l, struct err *e)
{
	return l->ops->ping(l, e);
}

#endif
