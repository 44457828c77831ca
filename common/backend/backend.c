#include "backend/private.h"

int
backend_check(const struct backend_config *config, unsigned roles, struct err *e)
{
	static const struct {
		enum backend_role role;
		int (*check)(const struct backend_config *config, struct err *e);
	} checks[] = {
		{ BACKEND_BLOBS, blobs_check },
		{ BACKEND_LEDGER, ledgers_check },
		{ BACKEND_QUEUE, queues_check },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks) && r == 0; i++)
		if (roles & checks[i].role)
			r = checks[i].check(config, e);
	return r;
}

int
backend_new(const struct backend_config *config, const struct backend_limits *limits,
	    struct backend **ret, struct err *e)
{
	struct backend *b = calloc(1, sizeof *b);

	if (!b)
		return err_set(e, ERR_NO_MEMORY, "backend");
	b->config = config;
	b->limits = *limits;
	*ret = b;
	return 0;
}

void
backend_close(struct backend *b)
{
	if (!b)
		return;
	consumer_close(b->consumer);
	publisher_close(b->publisher);
	ledger_close(b->ledger);
	while (b->store_count > 0)
		blob_store_close(b->stores[--b->store_count]);
	backend_mongo_close(b);
	free(b);
}
