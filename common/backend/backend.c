#include "backend/private.h"

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
