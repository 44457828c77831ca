/* The ledger for the janitor: what may be left of jobs. Each leftover is listed, marked before its
 * blob goes, and settled after. Ages are by the ledger's clock. See port/job_life.h for threads,
 * time, changes and errors. */
#ifndef TONEARM_PORT_JOB_LEFTOVER_H
#define TONEARM_PORT_JOB_LEFTOVER_H

#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

enum job_left {
	JOB_LEFT_UPLOAD, /* UPLOADING for that long, or given up by a janitor that did not finish */
	JOB_LEFT_OUTPUT, /* registered by an attempt, not the job's mp3, no lease for that long */
	JOB_LEFT_VIDEO,  /* the video of a job that ended that long ago, its result published */
	JOB_LEFT_AUDIO,  /* the same job's mp3 */
};

typedef int (*job_left_fn)(const struct job *, const struct blob_id *blob, void *arg, struct err *);

struct job_leftover;
struct job_leftover_ops {
	int (*each)(struct job_leftover *, enum job_left, int64_t age_ms, job_left_fn, void *arg,
		    struct err *);
	int (*expire)(struct job_leftover *, const struct job *, enum job_left, struct err *);
	int (*settle)(struct job_leftover *, const struct blob_id *video, enum job_left,
		      const struct blob_id *blob, struct err *);
	int (*is_registered)(struct job_leftover *, const struct blob_id *, struct err *);
};
struct job_leftover {
	const struct job_leftover_ops *ops;
};

/* Calls fn for each leftover of a kind that is at least age_ms old, with the blob meant (of an
 * upload its video); a negative result ends it and is returned. fn may use the ledger. */
static inline int
job_each_leftover(struct job_leftover *l, enum job_left which, int64_t age_ms, job_left_fn fn,
		  void *arg, struct err *e)
{
	return l->ops->each(l, which, age_ms, fn, arg, e);
}

/* To be called before the blob of a leftover goes: UPLOAD and AUDIO -> EXPIRED; after VIDEO a
 * failed job is not requeued any more. CONFLICT when the job has moved on since it was read. */
static inline int
job_expire(struct job_leftover *l, const struct job *job, enum job_left which, struct err *e)
{
	return l->ops->expire(l, job, which, e);
}

/* To be called after the blob has gone (or is to stay for ever): the leftover is not listed again.
 * An upload's job is forgotten. 0 also when someone else did it. */
static inline int
job_settle(struct job_leftover *l, const struct blob_id *video, enum job_left which,
	   const struct blob_id *blob, struct err *e)
{
	return l->ops->settle(l, video, which, blob, e);
}

/* 0 when a job or an attempt of one has registered the blob; NOT_FOUND. */
static inline int
job_is_registered(struct job_leftover *l, const struct blob_id *blob, struct err *e)
{
	return l->ops->is_registered(l, blob, e);
}

#endif
