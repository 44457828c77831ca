/* Documents that others wrote, whole and broken ones: read, or refused as corrupt; never a crash.
 */
#include "contract/blob/blob_suite_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "contract/blob/blob_gridfs_fixture.h"

#define CHUNK_MAX (16 * 1024 * 1024 - 1024)

static struct gridfs_fixture fixture;

static void
put_chunk(const struct blob_id *id, int64_t n, int64_t from, int64_t size)
{
	uint8_t *data = malloc((size_t)size + 1);
	bson_t *doc = bson_new();
	bson_oid_t oid;

	for (int64_t i = 0; i < size; i++)
		data[i] = content_at(from + i);
	bson_oid_init_from_string(&oid, id->hex);
	BSON_APPEND_OID(doc, "files_id", &oid);
	BSON_APPEND_INT64(doc, "n", n);
	BSON_APPEND_BINARY(doc, "data", BSON_SUBTYPE_BINARY, data, (uint32_t)size);
	free(data);
	gridfs_put(fixture.chunks, doc);
}

static struct blob_id
put_chunks(int64_t size, int64_t chunk)
{
	struct blob_id id = blob_id_new();

	for (int64_t n = 0; n * chunk < size; n++)
		put_chunk(&id, n, n * chunk, size - n * chunk < chunk ? size - n * chunk : chunk);
	return id;
}

/* {_id, fields...}; frees the fields. */
static void
put_file(const struct blob_id *id, bson_t *fields)
{
	bson_t *doc = bson_new();
	bson_oid_t oid;

	bson_oid_init_from_string(&oid, id->hex);
	BSON_APPEND_OID(doc, "_id", &oid);
	bson_concat(doc, fields);
	bson_destroy(fields);
	gridfs_put(fixture.files, doc);
}

static struct blob_id
put_blob(int64_t size, int64_t chunk)
{
	struct blob_id id = put_chunks(size, chunk);

	put_file(&id, BCON_NEW("length", BCON_INT64(size), "chunkSize", BCON_INT64(chunk)));
	return id;
}

static void
change_chunk(const struct blob_id *id, int64_t n, bson_t *update)
{
	bson_t *filter;
	bson_oid_t oid;

	bson_oid_init_from_string(&oid, id->hex);
	filter = BCON_NEW("files_id", BCON_OID(&oid), "n", BCON_INT64(n));
	if (update)
		assert_true(mongoc_collection_update_one(fixture.chunks, filter, update, NULL, NULL,
							 NULL));
	else
		assert_true(mongoc_collection_delete_one(fixture.chunks, filter, NULL, NULL, NULL));
	bson_destroy(filter);
	if (update)
		bson_destroy(update);
}

static void
expect_corrupt(struct blob_store *s, const struct blob_id *id)
{
	struct blob_reader untouched, *r = &untouched;
	struct err e = ERR_NONE;
	int rc = blob_open(s, id, &r, &e);

	if (rc < 0) {
		assert_int_equal(rc, ERR_CORRUPT);
		assert_ptr_equal(r, &untouched);
		return;
	}
	assert_int_equal(read_through(r), ERR_CORRUPT);
	assert_int_equal(read_through(r), ERR_CORRUPT);
	blob_reader_close(r);
}

static void
chunks_of_every_size_are_read(void **state)
{
	static const struct {
		int64_t size, chunk;
	} blobs[] = {
		{ 5 * 1024 + 3, 1024 },
		{ 7, 1 },
		{ 9 * 1024 * 1024, 4 * 1024 * 1024 },
		{ 3 * SUITE_CHUNK, SUITE_CHUNK },
		{ 0, 1024 },
		{ CHUNK_MAX + 5, CHUNK_MAX },
		{ 2 * 1024 * 1024, 1024 * 1024 },
		{ 100, 100 },
		{ 6 * 1024 * 1024, 1536 * 1024 },
	};

	for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
		struct blob_id id = put_blob(blobs[i].size, blobs[i].chunk);

		expect_blob(*state, &id, blobs[i].size);
		assert_int_equal(info_of(*state, &id).chunk_size, blobs[i].chunk);
	}
}

static void
numbers_of_every_kind_are_read(void **state)
{
	struct blob_id ids[3];

	for (size_t i = 0; i < 3; i++)
		ids[i] = put_chunks(2500, 1024);
	put_file(&ids[0], BCON_NEW("length", BCON_INT32(2500), "chunkSize", BCON_INT32(1024)));
	put_file(&ids[1], BCON_NEW("length", BCON_INT64(2500), "chunkSize", BCON_INT64(1024)));
	put_file(&ids[2], BCON_NEW("length", BCON_DOUBLE(2500), "chunkSize", BCON_DOUBLE(1024)));
	for (size_t i = 0; i < 3; i++)
		expect_blob(*state, &ids[i], 2500);
}

static void
chunks_numbered_by_doubles_are_read(void **state)
{
	struct blob_id id = put_blob(2500, 1024);

	for (int n = 0; n < 3; n++)
		change_chunk(&id, n, BCON_NEW("$set", "{", "n", BCON_DOUBLE(n), "}"));
	expect_blob(*state, &id, 2500);
}

static void
a_blob_without_metadata_has_empty_metadata(void **state)
{
	struct blob_id id = put_blob(10, 1024);
	struct blob_info info = info_of(*state, &id);

	assert_string_equal(info.meta.owner, "");
	assert_string_equal(info.meta.filename, "");
	assert_string_equal(info.meta.content_type, "");
	assert_string_equal(info.meta.video_fid.hex, "");
	assert_int_equal(info.uploaded_ms, 0);
}

static void
metadata_of_wrong_types_counts_as_absent(void **state)
{
	struct blob_id a = put_chunks(3, 9), b = put_chunks(3, 9), c = put_chunks(3, 9);
	struct blob_info info;

	put_file(&a, BCON_NEW("length", BCON_INT32(3), "chunkSize", BCON_INT32(9), "filename",
			      BCON_INT32(5), "uploadDate", BCON_UTF8("today"), "metadata", "{",
			      "owner", "{", "$x", BCON_INT32(1), "}", "video_fid", BCON_INT32(1),
			      "content_type", "[", BCON_UTF8("a"), "]", "}"));
	put_file(&b, BCON_NEW("length", BCON_INT32(3), "chunkSize", BCON_INT32(9), "metadata",
			      BCON_UTF8("none")));
	put_file(&c, BCON_NEW("length", BCON_INT32(3), "chunkSize", BCON_INT32(9), "metadata", "[",
			      BCON_INT32(1), "]", "uploadDate", BCON_NULL, "filename", BCON_NULL));
	expect_blob(*state, &a, 3);
	expect_blob(*state, &b, 3);
	expect_blob(*state, &c, 3);
	info = info_of(*state, &a);
	assert_string_equal(info.meta.owner, "");
	assert_true(info.meta.owner_unreadable);
	assert_false(info_of(*state, &b).meta.owner_unreadable);
	assert_string_equal(info.meta.video_fid.hex, "");
	assert_string_equal(info.meta.content_type, "");
	assert_string_equal(info.meta.filename, "");
	assert_int_equal(info.uploaded_ms, 0);
}

static void
a_text_that_is_too_long_counts_as_absent(void **state)
{
	struct blob_id id = put_chunks(3, 9);
	char text[5000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	put_file(&id, BCON_NEW("length", BCON_INT32(3), "chunkSize", BCON_INT32(9), "filename",
			       BCON_UTF8(text), "metadata", "{", "owner", BCON_UTF8(text), "}"));
	expect_blob(*state, &id, 3);
	assert_string_equal(info_of(*state, &id).meta.filename, "");
	assert_string_equal(info_of(*state, &id).meta.owner, "");
	assert_true(info_of(*state, &id).meta.owner_unreadable);
}

static void
a_missing_chunk_is_corrupt(void **state)
{
	for (int n = 0; n < 4; n++) {
		struct blob_id id = put_blob(3 * 1024 + 1, 1024);

		change_chunk(&id, n, NULL);
		expect_corrupt(*state, &id);
	}
}

static void
a_chunk_that_is_short_or_long_or_no_binary_is_corrupt(void **state)
{
	static const int64_t sizes[] = { 0, 1, 1023, 1025, 5000 };
	struct blob_id id;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		id = put_blob(3 * 1024, 1024);
		change_chunk(&id, 1, NULL);
		put_chunk(&id, 1, 1024, sizes[i]);
		expect_corrupt(*state, &id);
	}
	id = put_blob(3 * 1024, 1024);
	change_chunk(&id, 1, BCON_NEW("$set", "{", "data", BCON_UTF8("text"), "}"));
	expect_corrupt(*state, &id);
	id = put_blob(3 * 1024, 1024);
	change_chunk(&id, 1, BCON_NEW("$unset", "{", "data", BCON_UTF8(""), "}"));
	expect_corrupt(*state, &id);
}

static void
a_chunk_with_the_wrong_number_is_corrupt(void **state)
{
	struct blob_id id = put_blob(3 * 1024, 1024);

	change_chunk(&id, 1, BCON_NEW("$set", "{", "n", BCON_INT32(7), "}"));
	expect_corrupt(*state, &id);
	id = put_blob(3 * 1024, 1024);
	change_chunk(&id, 1, BCON_NEW("$set", "{", "n", BCON_DOUBLE(1.5), "}"));
	expect_corrupt(*state, &id);
	id = put_blob(3 * 1024, 1024);
	change_chunk(&id, 1, BCON_NEW("$set", "{", "n", BCON_UTF8("1"), "}"));
	expect_corrupt(*state, &id);
}

static void
a_length_that_is_none_is_corrupt(void **state)
{
	bson_t *bad[] = {
		BCON_NEW("length", BCON_INT32(-1), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_INT64(INT64_MIN), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_INT64(INT64_MAX), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_DOUBLE(1e300), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_DOUBLE(2.5), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_UTF8("9"), "chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_NULL, "chunkSize", BCON_INT32(9)),
		BCON_NEW("chunkSize", BCON_INT32(9)),
		BCON_NEW("length", BCON_INT64(5000000000000), "chunkSize", BCON_INT32(9)),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct blob_id id = put_chunks(9, 9);

		put_file(&id, bad[i]);
		expect_corrupt(*state, &id);
	}
}

static void
a_chunk_size_that_is_none_is_corrupt(void **state)
{
	bson_t *bad[] = {
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_INT32(0)),
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_INT32(-9)),
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_INT32(17 * 1024 * 1024)),
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_INT64(INT64_MAX)),
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_DOUBLE(0.5)),
		BCON_NEW("length", BCON_INT32(9), "chunkSize", BCON_UTF8("9")),
		BCON_NEW("length", BCON_INT32(9)),
		BCON_NEW("length", BCON_INT32(0), "chunkSize", BCON_INT32(0)),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct blob_id id = put_chunks(9, 9);

		put_file(&id, bad[i]);
		expect_corrupt(*state, &id);
	}
}

/* As when somebody deletes a blob while it is downloaded. */
static void
chunks_that_vanish_while_reading_are_corrupt(void **state)
{
	struct blob_id id = put_blob(40 * SUITE_CHUNK, SUITE_CHUNK);
	struct blob_reader *r = NULL;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	expect_content(r, 0, SUITE_CHUNK);
	assert_int_equal(blob_remove(*state, &id, NULL), 0);
	assert_int_equal(read_through(r), ERR_CORRUPT);
	blob_reader_close(r);
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
	blob_store_close(*state);
	return 0;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(chunks_of_every_size_are_read),
		ENTRY(numbers_of_every_kind_are_read),
		ENTRY(chunks_numbered_by_doubles_are_read),
		ENTRY(a_blob_without_metadata_has_empty_metadata),
		ENTRY(metadata_of_wrong_types_counts_as_absent),
		ENTRY(a_text_that_is_too_long_counts_as_absent),
		ENTRY(a_missing_chunk_is_corrupt),
		ENTRY(a_chunk_that_is_short_or_long_or_no_binary_is_corrupt),
		ENTRY(a_chunk_with_the_wrong_number_is_corrupt),
		ENTRY(a_length_that_is_none_is_corrupt),
		ENTRY(a_chunk_size_that_is_none_is_corrupt),
		ENTRY(chunks_that_vanish_while_reading_are_corrupt),
	};
	const char *uri = getenv("TONEARM_TEST_MONGODB_URI");
	int failed;

	if (!uri || *uri == '\0') {
		puts("skipped: TONEARM_TEST_MONGODB_URI is not set");
		return 77;
	}
	if (gridfs_fixture_start(&fixture, uri) < 0)
		return 1;
	failed = cmocka_run_group_tests_name("foreign documents", tests, NULL, NULL);
	gridfs_fixture_stop(&fixture);
	return failed;
}
