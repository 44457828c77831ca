/* Uploads that go on, on a real mongod: processes that are killed, and what other drivers see. */
#include "contract/blob/blob_suite_private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/blob/blob_gridfs_fixture.h"

static const struct blob_meta nobody = { 0 };
static struct gridfs_fixture fixture;
static const char *own_program;

/* One part of size bytes that is flushed, and more that is not; then this process is killed. */
static int
write_and_die(const char *database, const char *hex, int64_t size, int64_t more)
{
	struct blob_writer *w = NULL;
	struct blob_store *s;
	struct blob_id id;

	(void)snprintf(fixture.database, sizeof fixture.database, "%s", database);
	s = gridfs_fixture_open(&fixture);
	if (blob_id_parse(hex, &id) < 0 || blob_resume(s, &id, &nobody, &w, NULL) < 0 ||
	    write_content(w, size) < 0 || blob_flush(w, NULL) < 0 || write_content(w, more) < 0)
		return 1;
	return raise(SIGKILL);
}

static void
run_and_kill(const struct blob_id *id, int64_t size, int64_t more)
{
	char size_text[24], more_text[24];
	int status = 0;
	pid_t pid;

	(void)snprintf(size_text, sizeof size_text, "%lld", (long long)size);
	(void)snprintf(more_text, sizeof more_text, "%lld", (long long)more);
	pid = fork();
	if (pid == 0) {
		(void)execl(own_program, own_program, fixture.database, id->hex, size_text,
			    more_text, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
a_killed_process_costs_at_most_what_it_had_not_flushed(void **state)
{
	static const int64_t sizes[] = { 0, 1, SUITE_CHUNK, 5 * SUITE_CHUNK - 1 };
	struct blob_store *s = gridfs_fixture_open(&fixture);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct blob_id id = blob_id_new();
		struct blob_writer *w = NULL;
		int64_t more = 9 * SUITE_CHUNK + 11, before = 0;

		for (int kill = 0; kill < 3; kill++) {
			run_and_kill(&id, sizes[i], more);
			assert_int_equal(blob_resume(s, &id, &nobody, &w, NULL), 0);
			assert_in_range(w->length, before + sizes[i], before + sizes[i] + more);
			before = w->length;
			blob_writer_close(w);
		}
		assert_int_equal(blob_resume(s, &id, &nobody, &w, NULL), 0);
		assert_int_equal(write_content(w, 77), 0);
		assert_int_equal(blob_commit(w, NULL), 0);
		blob_writer_close(w);
		expect_blob(s, &id, before + 77);
	}
	blob_store_close(s);
}

static struct blob_id
finished_upload(struct blob_store *s, int64_t size)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	for (int part = 0; part < 2; part++) {
		assert_int_equal(blob_resume(s, &id, &nobody, &w, NULL), 0);
		assert_int_equal(write_content(w, part ? size - size / 2 : size / 2), 0);
		assert_int_equal(part ? blob_commit(w, NULL) : blob_flush(w, NULL), 0);
		blob_writer_close(w);
	}
	return id;
}

static void
a_finished_upload_is_of_the_standard_documents_only(void **state)
{
	struct blob_store *s = gridfs_fixture_open(&fixture);
	struct blob_id id = finished_upload(s, 8 * SUITE_CHUNK);
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bson_t *filter;
	bson_oid_t oid;
	int seen = 0;

	(void)state;
	bson_oid_init_from_string(&oid, id.hex);
	filter = BCON_NEW("files_id", BCON_OID(&oid));
	cursor = mongoc_collection_find_with_opts(fixture.chunks, filter, NULL, NULL);
	for (; mongoc_cursor_next(cursor, &doc); seen++) {
		assert_int_equal(bson_count_keys(doc), 4);
		assert_true(bson_has_field(doc, "_id") && bson_has_field(doc, "files_id") &&
			    bson_has_field(doc, "n") && bson_has_field(doc, "data"));
	}
	assert_int_equal(seen, 8);
	mongoc_cursor_destroy(cursor);
	bson_destroy(filter);
	blob_store_close(s);
}

static void
another_driver_reads_finished_uploads(void **state)
{
	static const int64_t sizes[] = { 0, 5, 2 * SUITE_CHUNK, 2 * SUITE_CHUNK + 1 };
	struct blob_store *s = gridfs_fixture_open(&fixture);
	mongoc_database_t *db = mongoc_client_get_database(fixture.client, fixture.database);
	mongoc_gridfs_bucket_t *bucket = mongoc_gridfs_bucket_new(db, NULL, NULL, NULL);
	static uint8_t seen[4 * SUITE_CHUNK];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct blob_id id = finished_upload(s, sizes[i]);
		bson_value_t oid = { .value_type = BSON_TYPE_OID };
		mongoc_stream_t *in;

		bson_oid_init_from_string(&oid.value.v_oid, id.hex);
		in = mongoc_gridfs_bucket_open_download_stream(bucket, &oid, NULL);
		assert_non_null(in);
		assert_int_equal(mongoc_stream_read(in, seen, sizeof seen, sizeof seen, 0),
				 sizes[i]);
		for (int64_t at = 0; at < sizes[i]; at++)
			if (seen[at] != content_at(at))
				fail_msg("byte %lld differs", (long long)at);
		mongoc_stream_destroy(in);
	}
	mongoc_gridfs_bucket_destroy(bucket);
	mongoc_database_destroy(db);
	blob_store_close(s);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_process_costs_at_most_what_it_had_not_flushed),
		cmocka_unit_test(a_finished_upload_is_of_the_standard_documents_only),
		cmocka_unit_test(another_driver_reads_finished_uploads),
	};
	const char *uri = getenv("TONEARM_TEST_MONGODB_URI");
	int failed;

	if (!uri || *uri == '\0') {
		puts("skipped: TONEARM_TEST_MONGODB_URI is not set");
		return 77;
	}
	if (gridfs_fixture_start(&fixture, uri) < 0)
		return 1;
	if (argc == 5)
		return write_and_die(argv[1], argv[2], atoll(argv[3]), atoll(argv[4]));
	own_program = argv[0];
	failed = cmocka_run_group_tests_name("uploads that go on", tests, NULL, NULL);
	gridfs_fixture_stop(&fixture);
	return failed;
}
