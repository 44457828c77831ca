/* What the MongoDB adapters share beside the pool: a client for one call, and the meaning of
 * errors. Only adapter/mongo, adapter/gridfs and adapter/mongo_jobs include it. */
#ifndef TONEARM_ADAPTER_MONGO_PRIVATE_H
#define TONEARM_ADAPTER_MONGO_PRIVATE_H

#include <mongoc/mongoc.h>

#include "adapter/mongo/pool.h"

/* A client for one call; waits for a free one at most the pool's deadline: UNAVAILABLE. */
int mongo_pool_pop(struct mongo_pool *p, mongoc_client_t **ret, struct err *e);
void mongo_pool_release(struct mongo_pool *p, mongoc_client_t *client);
int64_t mongo_pool_deadline_ms(const struct mongo_pool *p);

/* Words and code for a driver's or server's error. 11000 is CONFLICT; lost servers UNAVAILABLE;
 * deadlines TIMEOUT. */
int mongo_err(struct err *e, const bson_error_t *error, const char *what);
/* Whether the error leaves open what the server did, and another try may find it back. */
bool mongo_is_transient(const bson_error_t *error);

#endif
