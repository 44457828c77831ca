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

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

/* Attempts whose outputs one job remembers; older ones are left to a search for foreign chunks. */
#define JOB_OUTPUTS_MAX 64

/* A user with jobs that are QUEUED, due or not. */
struct job_waiting {
	char username[USERNAME_MAX + 1];
	int64_t running; /* how many others of this user are LEASED */
};

/* Who takes a lease, and for how long. */
struct job_lease_terms {
	const char *owner;
	int64_t ms;
};

struct job_life;
struct job_life_ops {
	int (*create)(struct job_life *, const struct job *, struct err *);
	int (*enqueue)(struct job_life *, const struct blob_id *, const struct job_source *,
		       const struct media_spec *, struct err *);
	int (*discard)(struct job_life *, const struct blob_id *, struct err *);
	int (*adopt)(struct job_life *, const struct job_message *, struct err *);
	int (*get)(struct job_life *, const struct blob_id *, struct job *, struct err *);
	int (*list_waiting)(struct job_life *, struct job_waiting *users, size_t max,
			    size_t *ret_count, struct err *);
	int (*lease_oldest)(struct job_life *, const struct job_lease_terms *,
			    const char *const *users, size_t count, struct job *, struct err *);
	int (*lease_one)(struct job_life *, const struct job_lease_terms *, const struct blob_id *,
			 struct job *, struct err *);
	int (*list_outputs)(struct job_life *, const struct job_lease *, struct blob_id *ids,
			    size_t *ret_count, struct err *);
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

/* Registers a job: state (UPLOADING or QUEUED), video_fid, username, source are taken, and spec once
 * it is settled. CONFLICT if the video has a job, INVALID when this build cannot make the spec. */
static inline int
job_create(struct job_life *l, const struct job *job, struct err *e)
{
	return l->ops->create(l, job, e);
}

/* UPLOADING -> QUEUED, with the source, and what is wanted of it (NULL: as it was created), as they
 * are now known. The upload may be acknowledged after this. INVALID as with job_create. */
static inline int
job_enqueue(struct job_life *l, const struct blob_id *video, const struct job_source *source,
	    const struct media_spec *spec, struct err *e)
{
	return l->ops->enqueue(l, video, source, spec, e);
}

/* Forgets a job that is still UPLOADING; 0 also when there is none. */
static inline int
job_discard(struct job_life *l, const struct blob_id *video, struct err *e)
{
	return l->ops->discard(l, video, e);
}

/* A message without a ledger entry (from MsgQ's gateway) gets one: QUEUED, already published, with
 * the default spec. A job that exists is left alone (0). */
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

/* The users who wait, at most max, in any order. Costs what the users are, however many jobs each
 * has. Of a user who waits alone running may be 0: there is nobody to compare with. */
static inline int
job_list_waiting(struct job_life *l, struct job_waiting *users, size_t max, size_t *ret_count,
		 struct err *e)
{
	int r = l->ops->list_waiting(l, users, max, ret_count, e);
	assert(r < 0 || *ret_count <= max);
	return r;
}

/* Leases the oldest QUEUED job of these users whose not_before has passed; count 0 = of anyone.
 * attempts is counted here. NOT_FOUND: nothing is due. The job carries the lease, and with it a
 * fresh id, already registered, for its output. Whose turn it is flow/fair.h says. */
static inline int
job_lease_oldest(struct job_life *l, const struct job_lease_terms *terms, const char *const *users,
		 size_t count, struct job *ret, struct err *e)
{
	return l->ops->lease_oldest(l, terms, users, count, ret, e);
}

/* The same with this job and no other. */
static inline int
job_lease_one(struct job_life *l, const struct job_lease_terms *terms, const struct blob_id *video,
	      struct job *ret, struct err *e)
{
	return l->ops->lease_one(l, terms, video, ret, e);
}

/* What earlier attempts have registered for their outputs, at most JOB_OUTPUTS_MAX. Which output
 * counts is the ledger's word: whoever holds the lease adopts one that is a whole blob by now, its
 * attempt having died before it was recorded; once the job has its result, the others are nobody's
 * and go. While the lease is held no other is registered. NOT_FOUND: no such job. */
static inline int
job_list_outputs(struct job_life *l, const struct job_lease *lease,
		 struct blob_id ids[JOB_OUTPUTS_MAX], size_t *ret_count, struct err *e)
{
	int r = l->ops->list_outputs(l, lease, ids, ret_count, e);
	assert(r < 0 || *ret_count <= JOB_OUTPUTS_MAX);
	return r;
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
