/* LEDGER: where jobs are. */
#include "adapter/mongo_jobs/mongo_jobs.h"
#include "backend/private.h"

struct ledger_technology {
	struct technology is;
	const char *server;
	int (*open)(struct backend *b, const char *rest, struct ledger **ret, struct err *e);
};

static int
ledgers_mongodb_open(struct backend *b, const char *rest, struct ledger **ret, struct err *e)
{
	struct mongo_pool *pool = NULL;
	int r = backend_mongo(b, &pool, e);

	(void)rest;
	return r < 0 ? r : mongo_jobs_new(pool, ret, e);
}

static const struct ledger_technology ledgers_mongodb = {
	{ "mongodb:", "mongodb:", technology_bare }, SERVER_MONGODB, ledgers_mongodb_open
};
static const struct technology *const ledgers_all[] = { &ledgers_mongodb.is, NULL };

int
backend_check_ledger(const char *url, struct err *e)
{
	return technology_check(url, ledgers_all, e);
}

static int
ledgers_ping(void *life, struct err *e)
{
	return job_life_ping(life, e);
}

int
backend_ledger(struct backend *b, struct ledger **ret, struct err *e)
{
	const struct technology *found;
	const struct ledger_technology *t;
	int r;

	if (b->ledger) {
		*ret = b->ledger;
		return 0;
	}
	if (!(found = technology_find(b->config->ledger, ledgers_all, e)))
		return ERR_INVALID;
	t = (const struct ledger_technology *)(const void *)found; /* its first member */
	r = t->open(b, b->config->ledger + strlen(found->scheme), &b->ledger, e);
	if (r < 0 || (r = backend_server(b, t->server, ledgers_ping, &b->ledger->life, e)) < 0)
		return r;
	*ret = b->ledger;
	return 0;
}
