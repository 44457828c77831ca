/* The ledger's record of what was announced to users, and by whom. See port/job_life.h for threads,
 * time, changes and errors. */
#ifndef TONEARM_PORT_JOB_NOTICE_H
#define TONEARM_PORT_JOB_NOTICE_H

#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "model/job.h"

struct job_notice;
struct job_notice_ops {
	int (*claim)(struct job_notice *, const struct blob_id *, const char *owner, int64_t ms,
		     struct err *);
	int (*mark_notified)(struct job_notice *, const struct job_message *, struct err *);
	int (*was_notified)(struct job_notice *, const struct blob_id *, struct err *);
};
struct job_notice {
	const struct job_notice_ops *ops;
};

/* Claims, before it is announced, that owner announces the result of video. CONFLICT: it was
 * announced before, or another owner has the claim. A claim that is older than ms passes to another
 * owner only when that one asks again after another ms: a holder that lives and could not reach the
 * ledger meanwhile has recorded by then. NOT_FOUND: no job of ours. */
static inline int
job_claim_notice(struct job_notice *n, const struct blob_id *video, const char *owner, int64_t ms,
		 struct err *e)
{
	return n->ops->claim(n, video, owner, ms, e);
}

/* Records that the result of message was announced. CONFLICT: it was announced before (say nothing
 * again). A job that MsgQ's converter did becomes DONE with the message's mp3_fid. NOT_FOUND: no
 * job of ours. */
static inline int
job_mark_notified(struct job_notice *n, const struct job_message *message, struct err *e)
{
	return n->ops->mark_notified(n, message, e);
}

/* 1 when the result of video was announced, 0 when not yet. NOT_FOUND: no job of ours. */
static inline int
job_was_notified(struct job_notice *n, const struct blob_id *video, struct err *e)
{
	int r = n->ops->was_notified(n, video, e);
	assert(r <= 1);
	return r;
}

#endif
