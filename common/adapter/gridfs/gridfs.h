/* Blob store on MongoDB GridFS. See port/blob_store.h for the contract. */
#ifndef TONEARM_ADAPTER_GRIDFS_GRIDFS_H
#define TONEARM_ADAPTER_GRIDFS_GRIDFS_H

#include "adapter/mongo/pool.h"
#include "port/blob_store.h"

/* The pool is borrowed until blob_store_close. Does not connect. database: "videos" or "mp3s".
 * Indexes are ensured on the first write. */
int blob_gridfs_new(struct mongo_pool *pool, const char *database, struct blob_store **ret,
		    struct err *e);

#endif
