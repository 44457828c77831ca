/* The suite on a real mongod, in a database of its own, and what only a real one shows. */
#include "contract/blob/blob_suite_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "contract/blob/blob_gridfs_fixture.h"

#define GONE_MS 10000

static struct gridfs_fixture fixture;

static struct blob_store *
open_gridfs(void)
{
	return gridfs_fixture_open(&fixture);
}

static int64_t
chunks_gridfs(struct blob_store *s, const struct blob_id *id)
{
	(void)s;
	return gridfs_count(fixture.chunks, "files_id", id);
}

static bool
has_chunk(const struct blob_id *id, int n)
{
	bson_oid_t oid;
	bson_t *filter;
	int64_t count;

	bson_oid_init_from_string(&oid, id->hex);
	filter = BCON_NEW("files_id", BCON_OID(&oid), "n", BCON_INT32(n));
	count = mongoc_collection_count_documents(fixture.chunks, filter, NULL, NULL, NULL, NULL);
	bson_destroy(filter);
	assert_int_not_equal(count, -1);
	return count == 1;
}

static void
chunks_with_held_bytes_are_the_last_to_arrive(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	(void)state;
	assert_int_equal(blob_create(s, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 3 * SUITE_CHUNK - 5), 0);
	assert_int_equal(blob_hold(w, 10, NULL), 0);
	assert_int_equal(write_content(w, 37 * SUITE_CHUNK + 5), 0);
	assert_true(has_chunk(&id, 0) && has_chunk(&id, 1) && has_chunk(&id, 4));
	assert_false(has_chunk(&id, 2) || has_chunk(&id, 3));
	assert_int_equal(gridfs_count(fixture.files, "_id", &id), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	assert_true(has_chunk(&id, 2) && has_chunk(&id, 3));
	assert_int_equal(chunks_gridfs(s, &id), 40);
	blob_writer_close(w);
	blob_store_close(s);
}

static void
a_blob_that_lost_a_chunk_before_its_commit_is_not_committed(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;
	bson_t *filter;
	bson_oid_t oid;

	(void)state;
	bson_oid_init_from_string(&oid, id.hex);
	assert_int_equal(blob_create(s, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 40 * SUITE_CHUNK), 0);
	filter = BCON_NEW("files_id", BCON_OID(&oid), "n", BCON_INT32(2));
	assert_true(mongoc_collection_delete_one(fixture.chunks, filter, NULL, NULL, NULL));
	bson_destroy(filter);
	assert_int_equal(blob_commit(w, NULL), ERR_UNAVAILABLE);
	blob_writer_close(w);
	assert_int_equal(await_no_chunks(s, &id, 10000), 0);
	assert_int_equal(gridfs_count(fixture.files, "_id", &id), 0);
	blob_store_close(s);
}

/* A store that is closed at once must not forget what its writers left. */
static void
closing_the_store_at_once_still_removes_the_chunks(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	(void)state;
	assert_int_equal(blob_create(s, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 20 * SUITE_CHUNK), 0);
	blob_writer_close(w);
	blob_store_close(s);
	assert_int_equal(chunks_gridfs(s, &id), 0);
}

/* What mongo-c-driver's own GridFS makes of ours. */
static void
another_driver_reads_what_was_written(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_id id = store_content(s, &(struct blob_meta){ 0 }, 3 * SUITE_CHUNK + 5);
	mongoc_database_t *db = mongoc_client_get_database(fixture.client, fixture.database);
	mongoc_gridfs_bucket_t *bucket = mongoc_gridfs_bucket_new(db, NULL, NULL, NULL);
	bson_value_t oid = { .value_type = BSON_TYPE_OID };
	static uint8_t seen[4 * SUITE_CHUNK];
	mongoc_stream_t *in;
	ssize_t got;

	(void)state;
	bson_oid_init_from_string(&oid.value.v_oid, id.hex);
	in = mongoc_gridfs_bucket_open_download_stream(bucket, &oid, NULL);
	assert_non_null(in);
	got = mongoc_stream_read(in, seen, sizeof seen, sizeof seen, 0);
	assert_int_equal(got, 3 * SUITE_CHUNK + 5);
	for (ssize_t i = 0; i < got; i++)
		if (seen[i] != content_at(i))
			fail_msg("byte %zd differs", i);
	mongoc_stream_destroy(in);
	mongoc_gridfs_bucket_destroy(bucket);
	mongoc_database_destroy(db);
	blob_store_close(s);
}

static void
clients_are_given_back_by_every_call(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_id id = store_content(s, &(struct blob_meta){ 0 }, 20 * SUITE_CHUNK);
	struct blob_reader *r = NULL;
	struct blob_writer *w = NULL;
	int used = -1, max = 0;

	(void)state;
	assert_int_equal(blob_open(s, &id, &r, NULL), 0);
	expect_content(r, 0, 5);
	id = blob_id_new();
	assert_int_equal(blob_create(s, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 100), 0);
	blob_writer_close(w);
	blob_reader_close(r);
	blob_store_close(s);
	mongo_pool_usage(fixture.pool, &used, &max);
	assert_int_equal(used, 0);
	assert_int_equal(max, 16);
}

/* For a fleet with a converter of before the ledger's word in it: it looks for the one output that
 * names its video. */
static void
the_second_output_of_a_video_is_a_conflict_and_its_chunks_go(void **state)
{
	struct blob_store *s = open_gridfs();
	struct blob_meta meta = { .video_fid = blob_id_new() };
	struct blob_id winner, loser = blob_id_new();
	struct blob_writer *w = NULL;

	(void)state;
	assert_int_equal(blob_create(s, &loser, &meta, &w, NULL), 0);
	assert_int_equal(write_content(w, 10 * SUITE_CHUNK), 0);
	winner = store_content(s, &meta, 5);
	assert_int_equal(blob_commit(w, NULL), ERR_CONFLICT);
	blob_writer_close(w);
	assert_int_equal(await_no_chunks(s, &loser, GONE_MS), 0);
	expect_blob(s, &winner, 5);
	blob_store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_with_held_bytes_are_the_last_to_arrive),
		cmocka_unit_test(a_blob_that_lost_a_chunk_before_its_commit_is_not_committed),
		cmocka_unit_test(closing_the_store_at_once_still_removes_the_chunks),
		cmocka_unit_test(another_driver_reads_what_was_written),
		cmocka_unit_test(clients_are_given_back_by_every_call),
		cmocka_unit_test(the_second_output_of_a_video_is_a_conflict_and_its_chunks_go),
	};
	const char *uri = getenv("TONEARM_TEST_MONGODB_URI");
	int failed;

	if (!uri || *uri == '\0') {
		puts("skipped: TONEARM_TEST_MONGODB_URI is not set");
		return 77;
	}
	if (gridfs_fixture_start(&fixture, uri) < 0)
		return 1;
	failed = blob_suite_run("blob store on GridFS",
				&(struct blob_suite_server){ open_gridfs, chunks_gridfs });
	failed += cmocka_run_group_tests_name("GridFS only", tests, NULL, NULL);
	gridfs_fixture_stop(&fixture);
	return failed;
}
