/* Job store on MongoDB (database tonearm, collection jobs). See port/job_store.h for the contract.
 */
#ifndef TONEARM_ADAPTER_MONGO_JOBS_MONGO_JOBS_H
#define TONEARM_ADAPTER_MONGO_JOBS_MONGO_JOBS_H

#include "adapter/mongo/pool.h"
#include "port/job_store.h"

/* The pool is borrowed until job_store_close. Does not connect; indexes are ensured on the first
 * use. */
int job_mongo_new(struct mongo_pool *pool, struct job_store **ret, struct err *e);
/* The same in another database (at most 63 bytes): tests have one of their own. */
int job_mongo_new_in(struct mongo_pool *pool, const char *database, struct job_store **ret,
		     struct err *e);

#endif
