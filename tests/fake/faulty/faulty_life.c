/* The faulty ledger: port/job_life.h. */
#include "fake/faulty/faulty_ledger_private.h"

static struct faulty_ledger *
faulty_life(struct job_life *p)
{
	return CONTAINER_OF(p, struct faulty_ledger, ledger.life);
}

static int
faulty_create(struct job_life *port, const struct job *job, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_create(&s->inner->life, job, e), e);
}

static int
faulty_enqueue(struct job_life *port, const struct blob_id *video, const struct job_source *source,
	       const struct media_spec *spec, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_enqueue(&s->inner->life, video, source, spec, e), e);
}

static int
faulty_discard(struct job_life *port, const struct blob_id *video, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_discard(&s->inner->life, video, e), e);
}

static int
faulty_adopt(struct job_life *port, const struct job_message *message, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_adopt(&s->inner->life, message, e), e);
}

static int
faulty_get(struct job_life *port, const struct blob_id *video, struct job *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_get(&s->inner->life, video, &got, e), e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_list_waiting(struct job_life *port, struct job_waiting *users, size_t max, size_t *ret_count,
		    struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_list_waiting(&s->inner->life, users, max, &got, e), e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_lease_oldest(struct job_life *port, const struct job_lease_terms *terms,
		    const char *const *users, size_t count, struct job *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_lease_oldest(&s->inner->life, terms, users, count, &got, e), e)) <
		    0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_lease_one(struct job_life *port, const struct job_lease_terms *terms,
		 const struct blob_id *video, struct job *ret, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	struct job got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call, job_lease_one(&s->inner->life, terms, video, &got, e),
			     e)) < 0)
		return r;
	*ret = got;
	return 0;
}

static int
faulty_list_outputs(struct job_life *port, const struct job_lease *lease, struct blob_id *ids,
		    size_t *ret_count, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);
	size_t got;

	if (r < 0 ||
	    (r = fault_after(s->faults, call,
			     job_list_outputs(&s->inner->life, lease, ids, &got, e), e)) < 0)
		return r;
	*ret_count = got;
	return 0;
}

static int
faulty_renew(struct job_life *port, const struct job_lease *lease, int64_t ms,
	     const struct job_progress *progress, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_renew(&s->inner->life, lease, ms, progress, e), e);
}

static int
faulty_finish(struct job_life *port, const struct job_lease *lease, const struct job_result *result,
	      struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_finish(&s->inner->life, lease, result, e),
				   e);
}

static int
faulty_fail(struct job_life *port, const struct job_lease *lease, const struct job_error *why,
	    struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_fail(&s->inner->life, lease, why, e), e);
}

static int
faulty_retry(struct job_life *port, const struct job_lease *lease, const struct job_error *why,
	     int64_t delay_ms, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call,
				   job_retry(&s->inner->life, lease, why, delay_ms, e), e);
}

static int
faulty_hand_back(struct job_life *port, const struct job_lease *lease, const struct job_error *why,
		 struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r
		     : fault_after(s->faults, call, job_hand_back(&s->inner->life, lease, why, e),
				   e);
}

static int
faulty_ping(struct job_life *port, struct err *e)
{
	struct faulty_ledger *s = faulty_life(port);
	int call = fault_enter(s->faults), r = fault_before(s->faults, call, e);

	return r < 0 ? r : fault_after(s->faults, call, job_life_ping(&s->inner->life, e), e);
}

const struct job_life_ops faulty_life_ops = {
	.create = faulty_create,
	.enqueue = faulty_enqueue,
	.discard = faulty_discard,
	.adopt = faulty_adopt,
	.get = faulty_get,
	.list_waiting = faulty_list_waiting,
	.lease_oldest = faulty_lease_oldest,
	.lease_one = faulty_lease_one,
	.list_outputs = faulty_list_outputs,
	.renew = faulty_renew,
	.finish = faulty_finish,
	.fail = faulty_fail,
	.retry = faulty_retry,
	.hand_back = faulty_hand_back,
	.ping = faulty_ping,
};
