/* The suite on a real mongod, in a database of its own. Time is the server's: instead of waiting,
 * all times in the ledger are moved back. */
#include "contract/job_suite.h"

#include <stdio.h>
#include <stdlib.h>

#include <mongoc/mongoc.h>

#include "adapter/job_mongo.h"
#include "base/hex.h"

static char database[64];
static struct mongo_pool *pool;
static mongoc_client_t *client;
static mongoc_collection_t *jobs;

static struct job_store *
open_mongo(void)
{
	bson_t all = BSON_INITIALIZER;
	struct job_store *s = NULL;
	struct err e = ERR_NONE;

	mongoc_collection_delete_many(jobs, &all, NULL, NULL, NULL);
	bson_destroy(&all);
	if (job_mongo_new_in(pool, database, &s, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return s;
}

#define EARLIER(field)                                                                             \
	field, "{", "$cond", "[", "{", "$eq", "[", "{", "$type", BCON_UTF8("$" field), "}",        \
		BCON_UTF8("date"), "]", "}", "{", "$subtract", "[", BCON_UTF8("$" field),          \
		BCON_INT64(ms), "]", "}", BCON_UTF8("$" field), "]", "}"

#define EARLIER_UNTIL(object)                                                                      \
	object, "{", "$cond", "[", "{", "$eq", "[", "{", "$type", BCON_UTF8("$" object), "}",      \
		BCON_UTF8("object"), "]", "}", "{", "$mergeObjects", "[", BCON_UTF8("$" object),   \
		"{", "until", "{", "$subtract", "[", BCON_UTF8("$" object ".until"),               \
		BCON_INT64(ms), "]", "}", "}", "]", "}", BCON_UTF8("$" object), "]", "}"

static void
advance_mongo(int64_t ms)
{
	bson_t all = BSON_INITIALIZER;
	bson_t *back = BCON_NEW("0", "{", "$set", "{", EARLIER("created_at"), EARLIER("updated_at"),
				EARLIER("not_before"), EARLIER("video_published_at"),
				EARLIER("result_published_at"), EARLIER("notified_at"),
				EARLIER_UNTIL("lease"), EARLIER_UNTIL("notice"), "}", "}");
	bson_error_t error;

	if (!mongoc_collection_update_many(jobs, &all, back, NULL, NULL, &error)) {
		fprintf(stderr, "advance: %s\n", error.message);
		abort();
	}
	bson_destroy(back);
	bson_destroy(&all);
}

static void
drop_database(void)
{
	mongoc_database_t *db = mongoc_client_get_database(client, database);
	bson_error_t error;

	if (!mongoc_database_drop(db, &error))
		fprintf(stderr, "drop %s: %s\n", database, error.message);
	mongoc_database_destroy(db);
}

int
main(void)
{
	const char *uri = getenv("TONEARM_TEST_MONGODB_URI");
	char id[9];
	int failed;

	if (uri == NULL || *uri == '\0') {
		puts("skipped: TONEARM_TEST_MONGODB_URI is not set");
		return 77;
	}
	random_hex(id, 8);
	snprintf(database, sizeof database, "tonearm_test_%s", id);
	if (mongo_pool_new(&(struct mongo_pool_config){ uri, 16, 3000 }, &pool, NULL) < 0)
		return 1;
	client = mongoc_client_new(uri);
	jobs = mongoc_client_get_collection(client, database, "jobs");
	failed = job_suite_run("job store on MongoDB",
			       &(struct job_suite_server){ open_mongo, advance_mongo });
	drop_database();
	mongoc_collection_destroy(jobs);
	mongoc_client_destroy(client);
	mongo_pool_free(pool);
	return failed;
}
