/* One bounded pool of MongoDB clients, shared by the blob and job stores of a process. Making it
 * does not connect. Threads: may be shared; free it after the stores. */
#ifndef TONEARM_ADAPTER_MONGO_POOL_H
#define TONEARM_ADAPTER_MONGO_POOL_H

#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/secret.h"

struct mongo_pool;
struct mongo_pool_config {
	const char *uri;     /* may hold a password: never logged */
	int max_clients;     /* e.g. 64 */
	int64_t deadline_ms; /* server selection, sockets, waiting for a client: 3000 */
};
/* Whether uri can be read; INVALID in words that stand behind a key's name. */
int mongo_pool_check(const char *uri, struct err *e);
int mongo_pool_new(const struct mongo_pool_config *config, struct mongo_pool **ret, struct err *e);
void mongo_pool_free(struct mongo_pool *p);
/* Clients in use now, and the limit: for metrics. */
void mongo_pool_usage(struct mongo_pool *p, int *ret_used, int *ret_max);
SCOPE_DEFINE(struct mongo_pool, mongo_pool_free)

#endif
