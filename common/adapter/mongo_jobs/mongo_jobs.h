/* The ledger on MongoDB (database tonearm, collection jobs). See port/ledger.h for the contract. */
#ifndef TONEARM_ADAPTER_MONGO_JOBS_MONGO_JOBS_H
#define TONEARM_ADAPTER_MONGO_JOBS_MONGO_JOBS_H

#include "adapter/mongo/pool.h"
#include "port/ledger.h"

/* The pool is borrowed until ledger_close. Does not connect; indexes are ensured on the first
 * use. */
int mongo_jobs_new(struct mongo_pool *pool, struct ledger **ret, struct err *e);
/* The same in another database (at most 63 bytes): tests have one of their own. */
int mongo_jobs_new_in(struct mongo_pool *pool, const char *database, struct ledger **ret,
		      struct err *e);

#endif
