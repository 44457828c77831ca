/* A GridFS store in a database of its own, and the driver beside it to look and to meddle. */
#ifndef TONEARM_TESTS_CONTRACT_BLOB_BLOB_GRIDFS_FIXTURE_H
#define TONEARM_TESTS_CONTRACT_BLOB_BLOB_GRIDFS_FIXTURE_H

#include <mongoc/mongoc.h>

#include "adapter/gridfs/gridfs.h"
#include "adapter/mongo/pool.h"

struct gridfs_fixture {
	char database[64];
	struct mongo_pool *pool;
	mongoc_client_t *client;
	mongoc_collection_t *files, *chunks;
};

/* Connects the driver to uri; 0, or -1 after words on stderr. */
int gridfs_fixture_start(struct gridfs_fixture *f, const char *uri);
/* Drops the database. */
void gridfs_fixture_stop(struct gridfs_fixture *f);
struct blob_store *gridfs_fixture_open(struct gridfs_fixture *f);
/* How many documents have the id in the field; aborts when the server does not answer. */
int64_t gridfs_count(mongoc_collection_t *c, const char *field, const struct blob_id *id);
/* Inserts and frees the document; aborts when the server refuses it. */
void gridfs_put(mongoc_collection_t *c, bson_t *doc);

#endif
