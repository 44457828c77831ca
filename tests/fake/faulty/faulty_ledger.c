/* The faulty ledger: all ports but port/job_life.h, and the object. */
#include "fake/faulty/faulty_ledger_private.h"

#include <stdlib.h>

static struct faulty_ledger *
faulty_outbox(struct job_outbox *p)
{
	return CONTAINER_OF(p, struct faulty_ledger, ledger.outbox);
}

static int
faulty_free_expired(struct job_outbox *port, int64_t *ret_freed, struct err *e)
{
	struct faulty_ledger *s = faulty_outbox(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int64_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_free_expired(&s->inner->outbox, &got, e), e)) < 0)
		return r;
	*ret_freed = got;
	return 0;
}

static int
faulty_list_unpublished(struct job_outbox *port, enum job_publication which, struct job *jobs,
			size_t max, size_t *ret_count, struct err *e)
{
	struct faulty_ledger *s = faulty_outbox(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_list_unpublished(&s->inner->outbox, which, jobs, max, &got, e),
			     e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_mark_published(struct job_outbox *port, const struct job *job, enum job_publication which,
		      struct err *e)
{
	struct faulty_ledger *s = faulty_outbox(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_mark_published(&s->inner->outbox, job, which, e), e);
}

static int
faulty_forget_published(struct job_outbox *port, enum job_publication which, int64_t *ret_forgotten,
			struct err *e)
{
	struct faulty_ledger *s = faulty_outbox(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_forget_published(&s->inner->outbox, which, ret_forgotten, e),
				   e);
}

static struct faulty_ledger *
faulty_notice(struct job_notice *p)
{
	return CONTAINER_OF(p, struct faulty_ledger, ledger.notice);
}

static int
faulty_claim_notice(struct job_notice *port, const struct blob_id *video, const char *owner,
		    int64_t ms, struct err *e)
{
	struct faulty_ledger *s = faulty_notice(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_claim_notice(&s->inner->notice, video, owner, ms, e), e);
}

static int
faulty_mark_notified(struct job_notice *port, const struct job_message *message, struct err *e)
{
	struct faulty_ledger *s = faulty_notice(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_mark_notified(&s->inner->notice, message, e), e);
}

static int
faulty_was_notified(struct job_notice *port, const struct blob_id *video, struct err *e)
{
	struct faulty_ledger *s = faulty_notice(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int was;

	if (r < 0 || (was = job_was_notified(&s->inner->notice, video, e)) < 0)
		return r < 0 ? r : was;
	r = fault_after(s->faults, call, 0, e);
	return r < 0 ? r : was;
}

static struct faulty_ledger *
faulty_desk(struct job_desk *p)
{
	return CONTAINER_OF(p, struct faulty_ledger, ledger.desk);
}

static int
faulty_find_by_mp3(struct job_desk *port, const struct blob_id *mp3, struct job *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 || (r = fault_after(s->faults, call,
				      job_find_by_mp3(&s->inner->desk, mp3, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_count(struct job_desk *port, struct job_counts *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job_counts got;

	if (r < 0 || (r = fault_after(s->faults, call, job_count(&s->inner->desk, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_load(struct job_desk *port, const char *username, struct job_load *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job_load got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_load(&s->inner->desk, username, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_stored(struct job_desk *port, const char *username, int64_t *ret_bytes, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int64_t got;

	if (r < 0 || (r = fault_after(s->faults, call,
				      job_stored(&s->inner->desk, username, &got, e), e)) < 0)
		return r;
	*ret_bytes = got;
	return 0;
}

static int
faulty_list(struct job_desk *port, const struct job_filter *filter, struct job *jobs, size_t max,
	    size_t *ret_count, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_list(&s->inner->desk, filter, jobs, max, &got, e),
			     e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_history(struct job_desk *port, const struct blob_id *video, struct job_attempt *list,
	       size_t *ret_count, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_history(&s->inner->desk, video, list, ret_count, e), e);
}

static int
faulty_requeue_failed(struct job_desk *port, const struct blob_id *only, const char *username,
		      int64_t *ret_requeued, struct err *e)
{
	struct faulty_ledger *s = faulty_desk(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int64_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_requeue_failed(&s->inner->desk, only, username, &got, e), e)) < 0)
		return r;
	*ret_requeued = got;
	return 0;
}

static struct faulty_ledger *
faulty_leftover(struct job_leftover *p)
{
	return CONTAINER_OF(p, struct faulty_ledger, ledger.leftover);
}

static int
faulty_each_leftover(struct job_leftover *port, enum job_left which, int64_t age_ms, job_left_fn fn,
		     void *arg, struct err *e)
{
	struct faulty_ledger *s = faulty_leftover(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(
			       s->faults, call,
			       job_each_leftover(&s->inner->leftover, which, age_ms, fn, arg, e),
			       e);
}

static int
faulty_expire(struct job_leftover *port, const struct job *job, enum job_left which, struct err *e)
{
	struct faulty_ledger *s = faulty_leftover(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_expire(&s->inner->leftover, job, which, e),
				   e);
}

static int
faulty_settle(struct job_leftover *port, const struct blob_id *video, enum job_left which,
	      const struct blob_id *blob, struct err *e)
{
	struct faulty_ledger *s = faulty_leftover(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_settle(&s->inner->leftover, video, which, blob, e), e);
}

static int
faulty_is_registered(struct job_leftover *port, const struct blob_id *blob, struct err *e)
{
	struct faulty_ledger *s = faulty_leftover(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_is_registered(&s->inner->leftover, blob, e),
				   e);
}

static void
faulty_ledger_close(struct ledger *l)
{
	struct faulty_ledger *s = CONTAINER_OF(l, struct faulty_ledger, ledger);

	ledger_close(s->inner);
	free(s);
}

static const struct job_outbox_ops outbox_ops = {
	.free_expired = faulty_free_expired,
	.list_unpublished = faulty_list_unpublished,
	.mark_published = faulty_mark_published,
	.forget_published = faulty_forget_published,
};

static const struct job_notice_ops notice_ops = {
	.claim = faulty_claim_notice,
	.mark_notified = faulty_mark_notified,
	.was_notified = faulty_was_notified,
};

static const struct job_desk_ops desk_ops = {
	.find_by_mp3 = faulty_find_by_mp3,
	.count = faulty_count,
	.load = faulty_load,
	.stored = faulty_stored,
	.list = faulty_list,
	.history = faulty_history,
	.requeue_failed = faulty_requeue_failed,
};

static const struct job_leftover_ops leftover_ops = {
	.each = faulty_each_leftover,
	.expire = faulty_expire,
	.settle = faulty_settle,
	.is_registered = faulty_is_registered,
};

struct ledger *
faulty_ledger(struct ledger *inner, struct faults *f)
{
	struct faulty_ledger *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_ledger){
		.ledger = {
			.close = faulty_ledger_close,
			.life = { &faulty_life_ops },
			.outbox = { &outbox_ops },
			.notice = { &notice_ops },
			.desk = { &desk_ops },
			.leftover = { &leftover_ops },
		},
		.inner = inner,
		.faults = f,
	};
	return &s->ledger;
}
