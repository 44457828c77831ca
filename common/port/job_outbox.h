/* The ledger as the outbox of the queues: what is due and lacks its publication. See
 * port/job_life.h for threads, time, changes and errors. */
#ifndef TONEARM_PORT_JOB_OUTBOX_H
#define TONEARM_PORT_JOB_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

/* Which publication of a job is meant: on `video` while it waits, or on `mp3` or `failed` once it
 * ended. */
enum job_publication { JOB_PUBLISH_VIDEO, JOB_PUBLISH_RESULT };

/* A message may be lost with its broker: a job that waits, due, this long after its publication on
 * `video` counts as unpublished again. A doubled permit is harmless. */
#define JOB_REPUBLISH_MS 600000
/* A queue that is gone takes back the publications of results that are at most this old and were
 * not announced: where MsgQ's notification runs no result is ever recorded as announced. */
#define JOB_RESULT_LOST_MS (24 * 3600 * INT64_C(1000))

struct job_outbox;
struct job_outbox_ops {
	int (*free_expired)(struct job_outbox *, int64_t *ret_freed, struct err *);
	int (*list_unpublished)(struct job_outbox *, enum job_publication, struct job *jobs,
				size_t max, size_t *ret_count, struct err *);
	int (*mark_published)(struct job_outbox *, const struct job *, enum job_publication,
			      struct err *);
	int (*forget_published)(struct job_outbox *, enum job_publication, int64_t *ret_forgotten,
				struct err *);
};
struct job_outbox {
	const struct job_outbox_ops *ops;
};

/* LEASED jobs whose lease has run out -> QUEUED, unpublished (the attempt stays counted). */
static inline int
job_free_expired(struct job_outbox *o, int64_t *ret_freed, struct err *e)
{
	return o->ops->free_expired(o, ret_freed, e);
}

/* Jobs that are due and lack the publication, oldest first, at most max. */
static inline int
job_list_unpublished(struct job_outbox *o, enum job_publication which, struct job *jobs, size_t max,
		     size_t *ret_count, struct err *e)
{
	return o->ops->list_unpublished(o, which, jobs, max, ret_count, e);
}

/* Records the publication of job as it was read (same state and attempts; on `video` also the same
 * updated_ms, unless 0, because a job handed back looks the same but has lost its message);
 * CONFLICT if it moved on. */
static inline int
job_mark_published(struct job_outbox *o, const struct job *job, enum job_publication which,
		   struct err *e)
{
	return o->ops->mark_published(o, job, which, e);
}

/* The queue of this publication is gone with all that was in it: QUEUED jobs (VIDEO), or ended jobs
 * that were not announced (RESULT, of the last JOB_RESULT_LOST_MS), are unpublished again. */
static inline int
job_forget_published(struct job_outbox *o, enum job_publication which, int64_t *ret_forgotten,
		     struct err *e)
{
	return o->ops->forget_published(o, which, ret_forgotten, e);
}

#endif
