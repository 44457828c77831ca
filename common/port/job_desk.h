/* The ledger's desk: what people and dashboards ask of it, and what an operator orders. See
 * port/job_life.h for threads, time, changes and errors. */
#ifndef TONEARM_PORT_JOB_DESK_H
#define TONEARM_PORT_JOB_DESK_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

struct job_counts {
	int64_t by_state[JOB_STATES];
	int64_t oldest_queued_ms; /* age of the oldest job that could run now; 0 = none */
};

/* What of one user's is under way: jobs that are not ended, and the bytes that its uploads have
 * announced (source.bytes while UPLOADING). */
struct job_load {
	int64_t unfinished, uploading_bytes;
};

/* Which jobs an operator means. */
struct job_filter {
	const enum job_state *state; /* NULL = any */
	const char *username;        /* NULL = any */
};

struct job_desk;
struct job_desk_ops {
	int (*find_by_mp3)(struct job_desk *, const struct blob_id *, struct job *, struct err *);
	int (*count)(struct job_desk *, struct job_counts *, struct err *);
	int (*load)(struct job_desk *, const char *username, struct job_load *, struct err *);
	int (*stored)(struct job_desk *, const char *username, int64_t *ret_bytes, struct err *);
	int (*list)(struct job_desk *, const struct job_filter *, struct job *jobs, size_t max,
		    size_t *ret_count, struct err *);
	int (*history)(struct job_desk *, const struct blob_id *video, struct job_attempt *list,
		       size_t *ret_count, struct err *);
	int (*requeue_failed)(struct job_desk *, const struct blob_id *only, const char *username,
			      int64_t *ret_requeued, struct err *);
};
struct job_desk {
	const struct job_desk_ops *ops;
};

/* The job whose result mp3 is. */
static inline int
job_find_by_mp3(struct job_desk *d, const struct blob_id *mp3, struct job *ret, struct err *e)
{
	return d->ops->find_by_mp3(d, mp3, ret, e);
}

static inline int
job_count(struct job_desk *d, struct job_counts *ret, struct err *e)
{
	return d->ops->count(d, ret, e);
}

static inline int
job_load(struct job_desk *d, const char *username, struct job_load *ret, struct err *e)
{
	return d->ops->load(d, username, ret, e);
}

/* The bytes that the user's jobs keep in the blob stores: each video that is uploaded and not yet
 * removed, each result likewise. What MsgQ's services stored has no owner and counts for nobody.
 * Costs what the user's jobs are, by an index that holds all it needs. */
static inline int
job_stored(struct job_desk *d, const char *username, int64_t *ret_bytes, struct err *e)
{
	return d->ops->stored(d, username, ret_bytes, e);
}

/* The newest jobs that filter names, newest first, at most max. */
static inline int
job_list(struct job_desk *d, const struct job_filter *filter, struct job *jobs, size_t max,
	 size_t *ret_count, struct err *e)
{
	return d->ops->list(d, filter, jobs, max, ret_count, e);
}

/* A job's ended attempts, the first ones first; at most the last JOB_HISTORY_MAX. Converters of a
 * version without a history add nothing to it. NOT_FOUND: no such job. */
static inline int
job_history(struct job_desk *d, const struct blob_id *video,
	    struct job_attempt list[JOB_HISTORY_MAX], size_t *ret_count, struct err *e)
{
	int r = d->ops->history(d, video, list, ret_count, e);
	assert(r < 0 || *ret_count <= JOB_HISTORY_MAX);
	return r;
}

/* FAILED -> QUEUED as on the first day (but for its history): no attempts, no error, neither
 * published nor announced, so that the outbox publishes it and its new result is announced. Only
 * this job (NULL = all), only this user's (NULL = anyone's); a job in another state is left alone.
 */
static inline int
job_requeue_failed(struct job_desk *d, const struct blob_id *only, const char *username,
		   int64_t *ret_requeued, struct err *e)
{
	return d->ops->requeue_failed(d, only, username, ret_requeued, e);
}

#endif
