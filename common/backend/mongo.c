/* One pool of MongoDB's clients for all that is kept there. */
#include "adapter/mongo/pool.h"

#include "backend/private.h"

static int
mongo_open(const struct backend_config *config, const struct backend_limits *limits,
	   struct mongo_pool **ret, struct err *e)
{
	struct mongo_pool_config mongo = {
		.uri = config->mongodb_uri.bytes,
		.max_clients = limits->connections,
		.deadline_ms = limits->deadline_ms,
	};

	int r = mongo_pool_new(&mongo, ret, e);

	return r < 0 ? err_prefix(e, r, "MONGODB_URI") : 0;
}

int
backend_mongo(struct backend *b, struct mongo_pool **ret, struct err *e)
{
	int r;

	if (!b->mongo && (r = mongo_open(b->config, &b->limits, &b->mongo, e)) < 0)
		return r;
	*ret = b->mongo;
	return 0;
}

int
backend_check_mongodb_uri(const char *uri, struct err *e)
{
	return mongo_pool_check(uri, e);
}

static void
mongo_refresh(void *arg)
{
	struct backend *b = arg;
	int used, max;

	mongo_pool_usage(b->mongo, &used, &max);
	metric_set(b->mongo_clients, used, (const char *const[]){ "used" });
	metric_set(b->mongo_clients, max, (const char *const[]){ "max" });
}

void
backend_mongo_watch(struct backend *b, struct metrics *m)
{
	if (!b->mongo)
		return;
	b->mongo_clients =
		metrics_gauge(m, "tonearm_mongodb_clients", "Clients of the MongoDB pool.",
			      (const char *const[]){ "kind", NULL });
	metrics_on_scrape(m, mongo_refresh, b);
}

void
backend_mongo_close(struct backend *b)
{
	mongo_pool_free(b->mongo);
}
