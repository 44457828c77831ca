/* The server's clock cannot be set: all that jobs have of time is moved back instead. */
#ifndef TONEARM_TESTS_CONTRACT_JOB_MONGO_ADVANCE_H
#define TONEARM_TESTS_CONTRACT_JOB_MONGO_ADVANCE_H

#include <stdio.h>
#include <stdlib.h>

#include <mongoc/mongoc.h>

#define EARLIER(field)                                                                             \
	field, "{", "$cond", "[", "{", "$eq", "[", "{", "$type", BCON_UTF8("$" field), "}",        \
		BCON_UTF8("date"), "]", "}", "{", "$subtract", "[", BCON_UTF8("$" field),          \
		BCON_INT64(ms), "]", "}", BCON_UTF8("$" field), "]", "}"

#define EARLIER_UNTIL(object)                                                                      \
	object, "{", "$cond", "[", "{", "$eq", "[", "{", "$type", BCON_UTF8("$" object), "}",      \
		BCON_UTF8("object"), "]", "}", "{", "$mergeObjects", "[", BCON_UTF8("$" object),   \
		"{", "until", "{", "$subtract", "[", BCON_UTF8("$" object ".until"),               \
		BCON_INT64(ms), "]", "}", "}", "]", "}", BCON_UTF8("$" object), "]", "}"

#define SOONER(field) "{", "$subtract", "[", BCON_UTF8(field), BCON_INT64(ms), "]", "}"

/* The times of attempts: of the one under way, and of those that ended. */
static void
mongo_advance_attempts(mongoc_collection_t *jobs, int64_t ms)
{
	bson_t *some = BCON_NEW("lease.began_at", "{", "$type", BCON_UTF8("date"), "}");
	bson_t *ended = BCON_NEW("history", "{", "$exists", BCON_BOOL(true), "}");
	bson_t *begun_back = BCON_NEW("0", "{", "$set", "{", "lease.began_at",
				      SOONER("$lease.began_at"), "}", "}");
	bson_t *ended_back =
		BCON_NEW("0", "{", "$set", "{", "history", "{", "$map", "{", "input",
			 BCON_UTF8("$history"), "in", "{", "$mergeObjects", "[",
			 BCON_UTF8("$$this"), "{", "began_at", SOONER("$$this.began_at"),
			 "ended_at", SOONER("$$this.ended_at"), "}", "]", "}", "}", "}", "}", "}");
	bson_error_t error;

	if (!mongoc_collection_update_many(jobs, some, begun_back, NULL, NULL, &error) ||
	    !mongoc_collection_update_many(jobs, ended, ended_back, NULL, NULL, &error)) {
		fprintf(stderr, "advance: %s\n", error.message);
		abort();
	}
	bson_destroy(some);
	bson_destroy(ended);
	bson_destroy(begun_back);
	bson_destroy(ended_back);
}

static void
mongo_advance(mongoc_collection_t *jobs, int64_t ms)
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
	mongo_advance_attempts(jobs, ms);
}

#endif
