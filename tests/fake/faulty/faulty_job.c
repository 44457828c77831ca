#include "fake/faulty/faulty.h"

#include <stdlib.h>

struct faulty_job {
	struct job_store port;
	struct job_store *inner;
	struct faults *faults;
};

static struct faulty_job *
self_of(struct job_store *p)
{
	return CONTAINER_OF(p, struct faulty_job, port);
}

static int
faulty_create(struct job_store *port, const struct job *job, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_create(s->inner, job, e), e);
}

static int
faulty_enqueue(struct job_store *port, const struct blob_id *video, const struct job_source *source,
	       struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_enqueue(s->inner, video, source, e), e);
}

static int
faulty_discard(struct job_store *port, const struct blob_id *video, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_discard(s->inner, video, e), e);
}

static int
faulty_adopt(struct job_store *port, const struct job_message *message, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_adopt(s->inner, message, e), e);
}

static int
faulty_get(struct job_store *port, const struct blob_id *video, struct job *ret, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 || (r = fault_after(s->faults, call, job_get(s->inner, video, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_find_by_mp3(struct job_store *port, const struct blob_id *mp3, struct job *ret,
		   struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_find_by_mp3(s->inner, mp3, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_lease_next(struct job_store *port, const char *owner, int64_t ms, const struct blob_id *only,
		  struct job *ret, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 || (r = fault_after(s->faults, call,
				      job_lease_next(s->inner, owner, ms, only, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_renew(struct job_store *port, const struct job_lease *lease, int64_t ms,
	     const struct job_progress *progress, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_renew(s->inner, lease, ms, progress, e), e);
}

static int
faulty_finish(struct job_store *port, const struct job_lease *lease,
	      const struct job_result *result, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_finish(s->inner, lease, result, e), e);
}

static int
faulty_fail(struct job_store *port, const struct job_lease *lease, const struct job_error *why,
	    struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_fail(s->inner, lease, why, e), e);
}

static int
faulty_retry(struct job_store *port, const struct job_lease *lease, const struct job_error *why,
	     int64_t delay_ms, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_retry(s->inner, lease, why, delay_ms, e),
				   e);
}

static int
faulty_give_back(struct job_store *port, const struct job_lease *lease, const struct job_error *why,
		 struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_give_back(s->inner, lease, why, e), e);
}

static int
faulty_free_expired(struct job_store *port, int64_t *ret_freed, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int64_t got;

	if (r < 0 || (r = fault_after(s->faults, call, job_free_expired(s->inner, &got, e), e)) < 0)
		return r;
	*ret_freed = got;
	return 0;
}

static int
faulty_list_unpublished(struct job_store *port, enum job_publication which, struct job *jobs,
			size_t max, size_t *ret_count, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_list_unpublished(s->inner, which, jobs, max, &got, e), e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_mark_published(struct job_store *port, const struct job *job, enum job_publication which,
		      struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_mark_published(s->inner, job, which, e), e);
}

static int
faulty_forget_published(struct job_store *port, enum job_publication which, int64_t *ret_forgotten,
			struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_forget_published(s->inner, which, ret_forgotten, e), e);
}

static int
faulty_claim_notice(struct job_store *port, const struct blob_id *video, const char *owner,
		    int64_t ms, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_claim_notice(s->inner, video, owner, ms, e),
				   e);
}

static int
faulty_mark_notified(struct job_store *port, const struct job_message *message, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_mark_notified(s->inner, message, e), e);
}

static int
faulty_count(struct job_store *port, struct job_counts *ret, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job_counts got;

	if (r < 0 || (r = fault_after(s->faults, call, job_count(s->inner, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_load(struct job_store *port, const char *username, struct job_load *ret, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job_load got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_load(s->inner, username, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_list(struct job_store *port, const struct job_filter *filter, struct job *jobs, size_t max,
	    size_t *ret_count, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 || (r = fault_after(s->faults, call,
				      job_list(s->inner, filter, jobs, max, &got, e), e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_requeue_failed(struct job_store *port, const struct blob_id *only, const char *username,
		      int64_t *ret_requeued, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	int64_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_requeue_failed(s->inner, only, username, &got, e),
			     e)) < 0)
		return r;
	*ret_requeued = got;
	return 0;
}

static int
faulty_each_leftover(struct job_store *port, enum job_leftover which, int64_t age_ms,
		     job_leftover_fn fn, void *arg, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_each_leftover(s->inner, which, age_ms, fn, arg, e), e);
}

static int
faulty_expire(struct job_store *port, const struct job *job, enum job_leftover which, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_expire(s->inner, job, which, e), e);
}

static int
faulty_settle(struct job_store *port, const struct blob_id *video, enum job_leftover which,
	      const struct blob_id *blob, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_settle(s->inner, video, which, blob, e), e);
}

static int
faulty_is_registered(struct job_store *port, const struct blob_id *blob, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_is_registered(s->inner, blob, e), e);
}

static int
faulty_ping(struct job_store *port, struct err *e)
{
	struct faulty_job *s = self_of(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_store_ping(s->inner, e), e);
}

static void
faulty_close(struct job_store *port)
{
	struct faulty_job *s = self_of(port);

	job_store_close(s->inner);
	free(s);
}

static const struct job_store_ops ops = {
	.create = faulty_create,
	.enqueue = faulty_enqueue,
	.discard = faulty_discard,
	.adopt = faulty_adopt,
	.get = faulty_get,
	.find_by_mp3 = faulty_find_by_mp3,
	.lease_next = faulty_lease_next,
	.renew = faulty_renew,
	.finish = faulty_finish,
	.fail = faulty_fail,
	.retry = faulty_retry,
	.give_back = faulty_give_back,
	.free_expired = faulty_free_expired,
	.list_unpublished = faulty_list_unpublished,
	.mark_published = faulty_mark_published,
	.forget_published = faulty_forget_published,
	.claim_notice = faulty_claim_notice,
	.mark_notified = faulty_mark_notified,
	.count = faulty_count,
	.load = faulty_load,
	.list = faulty_list,
	.requeue_failed = faulty_requeue_failed,
	.each_leftover = faulty_each_leftover,
	.expire = faulty_expire,
	.settle = faulty_settle,
	.is_registered = faulty_is_registered,
	.ping = faulty_ping,
	.close = faulty_close,
};

struct job_store *
faulty_job_store(struct job_store *inner, struct faults *f)
{
	struct faulty_job *s = faulty_alloc(sizeof *s);

	*s = (struct faulty_job){ { &ops }, inner, f };
	return &s->port;
}
