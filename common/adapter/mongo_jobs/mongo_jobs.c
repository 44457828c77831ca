/* The ledger object: its five ports, opened and closed as one. */
#include "adapter/mongo_jobs/private.h"

#include "base/text/str.h"

#define DATABASE "tonearm"

static int
mongo_jobs_get(struct job_life *l, const struct blob_id *video, struct job *ret, struct err *e)
{
	return mongo_jobs_find_by_id(mongo_jobs_of_life(l), "_id", video, ret, e);
}

static int
mongo_jobs_ping(struct job_life *l, struct err *e)
{
	return mongo_jobs_session_ping(mongo_jobs_of_life(l), e);
}

static const struct job_life_ops mongo_jobs_life = {
	.create = mongo_jobs_create,
	.enqueue = mongo_jobs_enqueue,
	.discard = mongo_jobs_discard,
	.adopt = mongo_jobs_adopt,
	.get = mongo_jobs_get,
	.list_waiting = mongo_jobs_list_waiting,
	.lease_oldest = mongo_jobs_lease_oldest,
	.lease_one = mongo_jobs_lease_one,
	.list_outputs = mongo_jobs_list_outputs,
	.renew = mongo_jobs_renew,
	.finish = mongo_jobs_finish,
	.fail = mongo_jobs_fail,
	.retry = mongo_jobs_retry,
	.hand_back = mongo_jobs_hand_back,
	.ping = mongo_jobs_ping,
};

static void
mongo_jobs_close(struct ledger *l)
{
	free(CONTAINER_OF(l, struct mongo_jobs, ledger));
}

int
mongo_jobs_new_in(struct mongo_pool *pool, const char *database, struct ledger **ret, struct err *e)
{
	SCOPED_FREE struct mongo_jobs *m = calloc(1, sizeof *m);
	int r;

	if (!m)
		return err_set(e, ERR_NO_MEMORY, "ledger");
	if ((r = str_copy(m->database, sizeof m->database, database, e)) < 0)
		return r;
	m->ledger = (struct ledger){
		.close = mongo_jobs_close,
		.life = { &mongo_jobs_life },
		.outbox = { &mongo_jobs_outbox },
		.notice = { &mongo_jobs_notice },
		.desk = { &mongo_jobs_desk },
		.leftover = { &mongo_jobs_leftover },
	};
	m->pool = pool;
	*ret = &TAKE(m)->ledger;
	return 0;
}

int
mongo_jobs_new(struct mongo_pool *pool, struct ledger **ret, struct err *e)
{
	return mongo_jobs_new_in(pool, DATABASE, ret, e);
}
