#include "contract/blob/blob_gridfs_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"

int
gridfs_fixture_start(struct gridfs_fixture *f, const char *uri)
{
	struct mongo_pool_config config = { uri, 16, 3000 };
	struct err e = ERR_NONE;
	char id[9];

	random_hex(id, 8);
	(void)snprintf(f->database, sizeof f->database, "tonearm_test_%s", id);
	if (mongo_pool_new(&config, &f->pool, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	f->client = mongoc_client_new(uri);
	f->files = mongoc_client_get_collection(f->client, f->database, "fs.files");
	f->chunks = mongoc_client_get_collection(f->client, f->database, "fs.chunks");
	return 0;
}

void
gridfs_fixture_stop(struct gridfs_fixture *f)
{
	mongoc_database_t *db = mongoc_client_get_database(f->client, f->database);
	bson_error_t error;

	if (!mongoc_database_drop(db, &error))
		fprintf(stderr, "drop %s: %s\n", f->database, error.message);
	mongoc_database_destroy(db);
	mongoc_collection_destroy(f->files);
	mongoc_collection_destroy(f->chunks);
	mongoc_client_destroy(f->client);
	mongo_pool_free(f->pool);
}

struct blob_store *
gridfs_fixture_open(struct gridfs_fixture *f)
{
	struct blob_store *s = NULL;
	struct err e = ERR_NONE;

	if (blob_gridfs_new(f->pool, f->database, &s, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return s;
}

int64_t
gridfs_count(mongoc_collection_t *c, const char *field, const struct blob_id *id)
{
	bson_error_t error;
	bson_t *filter;
	bson_oid_t oid;
	int64_t n;

	bson_oid_init_from_string(&oid, id->hex);
	filter = BCON_NEW(field, BCON_OID(&oid));
	n = mongoc_collection_count_documents(c, filter, NULL, NULL, NULL, &error);
	bson_destroy(filter);
	if (n < 0) {
		fprintf(stderr, "count: %s\n", error.message);
		abort();
	}
	return n;
}

void
gridfs_put(mongoc_collection_t *c, bson_t *doc)
{
	bson_error_t error;

	if (!mongoc_collection_insert_one(c, doc, NULL, NULL, &error)) {
		fprintf(stderr, "insert: %s\n", error.message);
		abort();
	}
	bson_destroy(doc);
}
