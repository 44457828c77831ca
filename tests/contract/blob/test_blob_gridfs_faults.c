/* GridFS on a server that freezes and dies: calls end in time, nothing needs a restart of ours, and
 * no chunk stays behind without its files document. */
#include "contract/blob/blob_suite_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "contract/blob/blob_gridfs_fixture.h"
#include "support/own_mongod.h"

#define IN_TIME_MS 4000
#define AGAIN_MS 15000
#define GONE_MS 20000

static const char *program;
static struct own_mongod server;
static struct gridfs_fixture fixture;

static int
expect_lost(int code, int64_t began_ms)
{
	assert_true(code == ERR_TIMEOUT || code == ERR_UNAVAILABLE);
	assert_in_range(now_monotonic_ms() - began_ms, 0, IN_TIME_MS);
	return code;
}

static void
await_ping(struct blob_store *s)
{
	int64_t until = now_monotonic_ms() + AGAIN_MS;

	while (blob_store_ping(s, NULL) < 0)
		assert_true(now_monotonic_ms() < until);
}

/* With a fresh client: an old one may hold a dead connection. */
static int64_t
chunks_of(const struct blob_id *id)
{
	mongoc_client_t *client = mongoc_client_new(server.uri);
	mongoc_collection_t *c =
		mongoc_client_get_collection(client, fixture.database, "fs.chunks");
	int64_t n = gridfs_count(c, "files_id", id);

	mongoc_collection_destroy(c);
	mongoc_client_destroy(client);
	return n;
}

static void
expect_gone(const struct blob_id *id)
{
	int64_t until = now_monotonic_ms() + GONE_MS, left;

	while ((left = chunks_of(id)) > 0 && now_monotonic_ms() < until)
		(void)usleep(50000);
	assert_int_equal(left, 0);
}

static struct blob_writer *
begun(struct blob_store *s, struct blob_id *ret_id, int64_t size)
{
	struct blob_writer *w = NULL;

	*ret_id = blob_id_new();
	assert_int_equal(blob_create(s, ret_id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, size), 0);
	return w;
}

static void
a_frozen_server_fails_an_upload_in_time_and_leaves_no_chunk(void **state)
{
	struct blob_id id;
	struct blob_writer *w = begun(*state, &id, 20 * SUITE_CHUNK);
	int64_t began;

	own_mongod_freeze(&server);
	began = now_monotonic_ms();
	expect_lost(write_content(w, 40 * SUITE_CHUNK), began);
	began = now_monotonic_ms();
	expect_lost(blob_write(w, "x", 1, NULL), began);
	blob_writer_close(w);
	assert_in_range(now_monotonic_ms() - began, 0, 200);
	own_mongod_thaw(&server);
	await_ping(*state);
	expect_gone(&id);
	id = store_content(*state, &(struct blob_meta){ 0 }, 20 * SUITE_CHUNK);
	expect_blob(*state, &id, 20 * SUITE_CHUNK);
}

/* Whether the commit arrived is open: then the blob is whole, or nothing of it is there. */
static void
a_server_frozen_at_the_commit_keeps_all_or_nothing(void **state)
{
	struct blob_id id;
	struct blob_writer *w = begun(*state, &id, 16 * SUITE_CHUNK);
	struct blob_reader *r = NULL;
	int64_t began, until;
	int rc;

	own_mongod_freeze(&server);
	began = now_monotonic_ms();
	expect_lost(blob_commit(w, NULL), began);
	blob_writer_close(w);
	own_mongod_thaw(&server);
	await_ping(*state);
	until = now_monotonic_ms() + GONE_MS;
	while ((rc = blob_open(*state, &id, &r, NULL)) != 0 && chunks_of(&id) > 0)
		assert_true(now_monotonic_ms() < until);
	blob_reader_close(r);
	if (rc == 0)
		expect_blob(*state, &id, 16 * SUITE_CHUNK);
}

static void
a_frozen_server_fails_an_open_and_a_read_in_time(void **state)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 40 * SUITE_CHUNK);
	struct blob_reader *r = NULL, *other = NULL;
	int64_t began;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	expect_content(r, 0, 3);
	own_mongod_freeze(&server);
	began = now_monotonic_ms();
	expect_lost(blob_open(*state, &id, &other, NULL), began);
	began = now_monotonic_ms();
	assert_int_equal(blob_seek(r, 30 * SUITE_CHUNK, NULL), 0);
	expect_lost(read_through(r), began);
	own_mongod_thaw(&server);
	await_ping(*state);
	expect_content(r, 0, 40 * SUITE_CHUNK);
	blob_reader_close(r);
	expect_blob(*state, &id, 40 * SUITE_CHUNK);
}

static void
a_server_killed_in_mid_upload_costs_that_upload_only(void **state)
{
	struct blob_id stored = store_content(*state, &(struct blob_meta){ 0 }, 9 * SUITE_CHUNK);
	struct blob_reader *r = NULL;
	struct blob_id id;
	struct blob_writer *w = begun(*state, &id, 20 * SUITE_CHUNK);
	int64_t began;

	assert_int_equal(blob_open(*state, &stored, &r, NULL), 0);
	own_mongod_kill(&server);
	began = now_monotonic_ms();
	expect_lost(write_content(w, 40 * SUITE_CHUNK), began);
	blob_writer_close(w);
	began = now_monotonic_ms();
	expect_lost(read_through(r), began);
	assert_int_equal(own_mongod_restart(&server, program), 0);
	await_ping(*state);
	expect_gone(&id);
	expect_content(r, 0, 9 * SUITE_CHUNK);
	blob_reader_close(r);
	expect_blob(*state, &stored, 9 * SUITE_CHUNK);
}

static void
a_store_closes_in_time_while_the_server_is_frozen(void **state)
{
	struct blob_store *s = gridfs_fixture_open(&fixture);
	struct blob_id id;
	struct blob_writer *w = begun(s, &id, 20 * SUITE_CHUNK);
	int64_t began;

	own_mongod_freeze(&server);
	began = now_monotonic_ms();
	blob_writer_close(w);
	blob_store_close(s);
	assert_in_range(now_monotonic_ms() - began, 0, 2 * IN_TIME_MS);
	own_mongod_thaw(&server);
	await_ping(*state);
}

static struct blob_writer *
resumed(struct blob_store *s, const struct blob_id *id, int64_t expected_length)
{
	struct blob_writer *w = NULL;

	assert_int_equal(blob_resume(s, id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(w->length, expected_length);
	return w;
}

static void
a_server_killed_between_two_parts_keeps_what_was_flushed(void **state)
{
	static const int64_t size = 5 * SUITE_CHUNK + 99;
	struct blob_id id = blob_id_new();
	struct blob_writer *w = resumed(*state, &id, 0);
	int64_t began;

	assert_int_equal(write_content(w, size), 0);
	assert_int_equal(blob_flush(w, NULL), 0);
	own_mongod_kill(&server);
	assert_int_equal(write_content(w, 100), 0);
	began = now_monotonic_ms();
	expect_lost(blob_flush(w, NULL), began);
	blob_writer_close(w);
	assert_int_equal(own_mongod_restart(&server, program), 0);
	await_ping(*state);
	w = resumed(*state, &id, size);
	assert_int_equal(write_content(w, 7 * SUITE_CHUNK), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(*state, &id, size + 7 * SUITE_CHUNK);
}

/* Whether the commit arrived is open: the upload is finished, or can be finished. */
static void
a_server_frozen_at_the_commit_of_an_upload_keeps_every_byte(void **state)
{
	static const int64_t size = 16 * SUITE_CHUNK + 5;
	struct blob_id id = blob_id_new();
	struct blob_writer *w = resumed(*state, &id, 0);
	int64_t began;
	int rc;

	assert_int_equal(write_content(w, size), 0);
	assert_int_equal(blob_flush(w, NULL), 0);
	own_mongod_freeze(&server);
	began = now_monotonic_ms();
	expect_lost(blob_commit(w, NULL), began);
	blob_writer_close(w);
	own_mongod_thaw(&server);
	await_ping(*state);
	w = NULL;
	if ((rc = blob_resume(*state, &id, &(struct blob_meta){ 0 }, &w, NULL)) == 0) {
		assert_int_equal(w->length, size);
		rc = blob_commit(w, NULL);
		blob_writer_close(w);
	}
	assert_true(rc == 0 || rc == ERR_CONFLICT);
	expect_blob(*state, &id, size);
}

static int
open_store(void **state)
{
	*state = gridfs_fixture_open(&fixture);
	return *state ? 0 : -1;
}

static int
close_store(void **state)
{
	own_mongod_thaw(&server); /* where the test failed: the next one is its own */
	blob_store_close(*state);
	return 0;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(a_frozen_server_fails_an_upload_in_time_and_leaves_no_chunk),
		ENTRY(a_server_frozen_at_the_commit_keeps_all_or_nothing),
		ENTRY(a_frozen_server_fails_an_open_and_a_read_in_time),
		ENTRY(a_server_killed_in_mid_upload_costs_that_upload_only),
		ENTRY(a_server_killed_between_two_parts_keeps_what_was_flushed),
		ENTRY(a_server_frozen_at_the_commit_of_an_upload_keeps_every_byte),
		ENTRY(a_store_closes_in_time_while_the_server_is_frozen),
	};
	int failed = 1;

	program = getenv("TONEARM_TEST_MONGOD");
	if (!program || access(program, X_OK) != 0) {
		puts("skipped: TONEARM_TEST_MONGOD names no program");
		return 77;
	}
	if (own_mongod_start(&server, program) == 0 &&
	    gridfs_fixture_start(&fixture, server.uri) == 0) {
		failed = cmocka_run_group_tests_name("faults of the server", tests, NULL, NULL);
		gridfs_fixture_stop(&fixture);
	}
	own_mongod_remove(&server);
	return failed;
}
