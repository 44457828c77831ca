/* The suite on a real mongod, in a database of its own. Time is the server's: instead of waiting,
 * all times in the ledger are moved back. */
#include "contract/job/job_suite.h"
#include "contract/job/mongo_advance.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <mongoc/mongoc.h>

#include "adapter/mongo_jobs/mongo_jobs.h"
#include "base/clock.h"
#include "base/random.h"
#include "flow/fair.h"

static char database[64];
static struct mongo_pool *pool;
static mongoc_client_t *client;
static mongoc_collection_t *jobs;

static struct ledger *
open_mongo(void)
{
	bson_t all = BSON_INITIALIZER;
	struct ledger *s = NULL;
	struct err e = ERR_NONE;

	mongoc_collection_delete_many(jobs, &all, NULL, NULL, NULL);
	bson_destroy(&all);
	if (mongo_jobs_new_in(pool, database, &s, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return s;
}

static void
advance_mongo(int64_t ms)
{
	mongo_advance(jobs, ms);
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

/* What a job asks for, as a document that this build did not write: json, or NULL for none. */
static struct media_spec
spec_stored_as(const char *json)
{
	SCOPED(ledger_close_p) struct ledger *s = open_mongo();
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_QUEUED };
	char text[512];
	bson_t *change, *all = bson_new();

	assert_int_equal(job_create(&s->life, &job, NULL), 0);
	if (json)
		snprintf(text, sizeof text, "{\"$set\": {\"spec\": %s}}", json);
	else
		snprintf(text, sizeof text, "{\"$unset\": {\"spec\": \"\"}}");
	change = bson_new_from_json((const uint8_t *)text, -1, NULL);
	assert_non_null(change);
	assert_true(mongoc_collection_update_one(jobs, all, change, NULL, NULL, NULL));
	bson_destroy(change);
	bson_destroy(all);
	assert_int_equal(job_get(&s->life, &job.video_fid, &job, NULL), 0);
	return job.spec;
}

static void
a_spec_of_an_older_build_is_the_default_mp3(void **state)
{
	static const char *const older[] = {
		NULL,
		"null",
		"{}",
		"{\"format\": \"mp3\"}",
		"{\"format\": \"mp3\", \"bit_rate\": 128000, \"sample_rate\": 44100, \"channels\": "
		"2}",
		"{\"bit_rate\": {\"$numberLong\": \"128000\"}, \"channels\": 2.0}",
		"{\"strict\": false, \"gaps\": \"fill\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(older); i++) {
		struct media_spec spec = spec_stored_as(older[i]);

		assert_int_equal(spec.format, MEDIA_MP3);
		assert_int_equal(spec.sample_rate, 44100);
		assert_int_equal(spec.channels, 2);
		assert_int_equal(spec.bit_rate, 128000);
	}
}

static void
a_spec_of_a_later_build_is_read_as_unknown(void **state)
{
	static const char *const later[] = {
		"{\"format\": \"holograms\"}",
		"{\"format\": 7}",
		"{\"format\": \"flac\"}",
		"{\"format\": \"mp3\", \"cut\": {\"from_s\": 3}}",
		"{\"format\": \"mp3\", \"strict\": 1}",
		"{\"format\": \"mp3\", \"gaps\": \"stretch\"}",
		"{\"format\": \"mp3\", \"bit_rate\": 128001}",
		"{\"format\": \"mp3\", \"bit_rate\": -1}",
		"{\"format\": \"mp3\", \"channels\": \"2\"}",
		"{\"format\": \"mp3\", \"sample_rate\": 1e300}",
		"\"mp3\"",
		"[]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		assert_int_equal(spec_stored_as(later[i]).format, MEDIA_UNKNOWN);
}

#define NEWCOMERS 5
#define LEASE_MS 60000
#define STARTS_MAX 500

/* A converter with a job store of its own that starts and ends job after job. */
struct converter {
	struct ledger *store;
	struct fair fair;
	pthread_t thread;
	struct job started[STARTS_MAX];
	atomic_size_t count;
	atomic_bool stop;
};

static void *
convert(void *arg)
{
	const struct job_lease_terms terms = { "c", LEASE_MS };
	struct converter *c = arg;

	while (!atomic_load(&c->stop) && atomic_load(&c->count) < STARTS_MAX) {
		struct job *job = &c->started[atomic_load(&c->count)];
		struct blob_id mp3 = blob_id_new();

		if (fair_lease(&c->fair, &c->store->life, &terms, job, NULL) != 0)
			continue;
		if (job_finish(&c->store->life, &job->lease, &(struct job_result){ .mp3_fid = mp3 },
			       NULL) != 0)
			break;
		atomic_fetch_add(&c->count, 1);
	}
	return NULL;
}

static void
queue_job(struct ledger *s, const char *user, struct job *ret)
{
	struct job job = { .video_fid = blob_id_new(), .state = JOB_QUEUED };

	snprintf(job.username, sizeof job.username, "%s", user);
	assert_int_equal(job_create(&s->life, &job, NULL), 0);
	assert_int_equal(job_get(&s->life, &job.video_fid, ret, NULL), 0);
}

static int64_t
start_of(const struct job *job)
{
	return job->lease.until_ms - LEASE_MS;
}

/* By the server's clock: when the job was leased; 0 = not yet. */
static int64_t
when_started(struct converter *c, const struct blob_id *video)
{
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < atomic_load(&c[i].count); k++)
			if (blob_id_equal(&c[i].started[k].video_fid, video))
				return start_of(&c[i].started[k]);
	return 0;
}

static int
greedy_between(struct converter *c, int64_t from, int64_t to)
{
	int n = 0;

	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < atomic_load(&c[i].count); k++)
			n += strcmp(c[i].started[k].username, "greedy") == 0 &&
			     start_of(&c[i].started[k]) > from && start_of(&c[i].started[k]) < to;
	return n;
}

static void
await_start(struct converter *c, const struct blob_id *video)
{
	int64_t until = now_monotonic_ms() + 20000;

	while (when_started(c, video) == 0)
		if (deadline_left_ms(until) == 0)
			fail_msg("job %s does not start", video->hex);
}

static void
of_500_at_most_two_start_before_a_newcomer_with_two_converters(void **state)
{
	static struct converter c[2];
	SCOPED(ledger_close_p) struct ledger *s = open_mongo();
	struct job newcomers[NEWCOMERS], job;
	char name[32];

	(void)state;
	for (int i = 0; i < 500; i++)
		queue_job(s, "greedy", &job);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mongo_jobs_new_in(pool, database, &c[i].store, NULL), 0);
		fair_init(&c[i].fair);
		assert_int_equal(pthread_create(&c[i].thread, NULL, convert, &c[i]), 0);
	}
	for (int i = 0; i < NEWCOMERS; i++) {
		snprintf(name, sizeof name, "newcomer%d", i);
		queue_job(s, name, &newcomers[i]);
		await_start(c, &newcomers[i].video_fid);
	}
	for (int i = 0; i < 2; i++) {
		atomic_store(&c[i].stop, true);
		pthread_join(c[i].thread, NULL);
		ledger_close(c[i].store);
		fair_fini(&c[i].fair);
	}
	for (int i = 0; i < NEWCOMERS; i++)
		assert_in_range(greedy_between(c, newcomers[i].created_ms,
					       when_started(c, &newcomers[i].video_fid)),
				0, 2);
	assert_true(atomic_load(&c[0].count) + atomic_load(&c[1].count) < 500);
}

/* What the server's profiler says of the last such command on jobs: its examined documents or keys. */
static int64_t
examined(const char *command, const char *what)
{
	mongoc_collection_t *profile =
		mongoc_client_get_collection(client, database, "system.profile");
	bson_t *filter = BCON_NEW(command, BCON_UTF8("jobs"));
	bson_t *options =
		BCON_NEW("sort", "{", "$natural", BCON_INT32(-1), "}", "limit", BCON_INT64(1));
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(profile, filter, options, NULL);
	const bson_t *doc;
	bson_iter_t it;
	int64_t n = -1;

	if (mongoc_cursor_next(cursor, &doc) && bson_iter_init_find(&it, doc, what))
		n = bson_iter_as_int64(&it);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	mongoc_collection_destroy(profile);
	return n;
}

static void
set_profiling(int level)
{
	bson_t *command = BCON_NEW("profile", BCON_INT32(level));

	assert_true(mongoc_client_command_simple(client, database, command, NULL, NULL, NULL));
	bson_destroy(command);
}

static void
who_waits_and_what_is_stored_is_told_by_indexes_alone(void **state)
{
	SCOPED(ledger_close_p) struct ledger *s = open_mongo();
	struct job_waiting users[4];
	int64_t bytes;
	size_t count;
	struct job job;

	(void)state;
	for (int i = 0; i < 300; i++)
		queue_job(s, "greedy", &job);
	queue_job(s, "newcomer", &job);
	assert_int_equal(job_stored(&s->desk, "greedy", &bytes, NULL), 0); /* makes the index */
	set_profiling(2);
	assert_int_equal(job_list_waiting(&s->life, users, 4, &count, NULL), 0);
	assert_int_equal(job_stored(&s->desk, "newcomer", &bytes, NULL), 0);
	set_profiling(0);
	assert_int_equal(count, 2);
	assert_int_equal(examined("command.distinct", "docsExamined"), 0);
	assert_in_range(examined("command.distinct", "keysExamined"), 2, 4);
	assert_int_equal(examined("command.aggregate", "docsExamined"), 0);
	assert_in_range(examined("command.aggregate", "keysExamined"), 1, 2);
}

/* Without the bytes of its result: it was made at 128 kbit/s. */
static void
a_job_of_an_older_version_counts_by_the_duration_of_its_sound(void **state)
{
	SCOPED(ledger_close_p) struct ledger *s = open_mongo();
	const struct job_lease_terms terms = { "c", LEASE_MS };
	const struct job_result result = { .mp3_fid = blob_id_new(),
					   .duration_s = 61.5,
					   .bytes = 1000 };
	bson_t all = BSON_INITIALIZER, *older = BCON_NEW("$unset", "{", "result", "", "}");
	int64_t bytes = 0;
	struct job job;

	(void)state;
	queue_job(s, "ann", &job);
	assert_int_equal(job_lease_one(&s->life, &terms, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job_finish(&s->life, &job.lease, &result, NULL), 0);
	assert_int_equal(job_stored(&s->desk, "ann", &bytes, NULL), 0);
	assert_int_equal(bytes, 1000);
	assert_true(mongoc_collection_update_many(jobs, &all, older, NULL, NULL, NULL));
	assert_int_equal(job_stored(&s->desk, "ann", &bytes, NULL), 0);
	assert_int_equal(bytes, 984000);
	bson_destroy(older);
	bson_destroy(&all);
}

int
main(void)
{
	const struct CMUnitTest mongo_only[] = {
		cmocka_unit_test(of_500_at_most_two_start_before_a_newcomer_with_two_converters),
		cmocka_unit_test(who_waits_and_what_is_stored_is_told_by_indexes_alone),
		cmocka_unit_test(a_job_of_an_older_version_counts_by_the_duration_of_its_sound),
	};
	const struct CMUnitTest specs[] = {
		cmocka_unit_test(a_spec_of_an_older_build_is_the_default_mp3),
		cmocka_unit_test(a_spec_of_a_later_build_is_read_as_unknown),
	};
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
	failed += cmocka_run_group_tests_name("MongoDB only", mongo_only, NULL, NULL);
	failed += cmocka_run_group_tests_name("specs in MongoDB", specs, NULL, NULL);
	drop_database();
	mongoc_collection_destroy(jobs);
	mongoc_client_destroy(client);
	mongo_pool_free(pool);
	return failed;
}
