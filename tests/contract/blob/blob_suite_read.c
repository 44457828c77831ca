#include "contract/blob/blob_suite_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/str.h"

#define DAY_MS 86400000

BLOB_TEST(an_output_names_its_video)
{
	struct blob_meta meta = { .video_fid = blob_id_new(), .owner = "anna@example.org" };
	struct blob_id id = store_content(*state, &meta, 10);

	assert_string_equal(info_of(*state, &id).meta.video_fid.hex, meta.video_fid.hex);
}

BLOB_TEST(blobs_that_are_no_outputs_do_not_conflict)
{
	struct blob_meta meta = { .filename = "same.mp4" };
	struct blob_id a = store_content(*state, &meta, 10), b = store_content(*state, &meta, 20);

	expect_blob(*state, &a, 10);
	expect_blob(*state, &b, 20);
}

BLOB_TEST(a_removed_blob_is_gone_with_its_chunks)
{
	struct blob_meta meta = { .video_fid = blob_id_new() };
	struct blob_id id = store_content(*state, &meta, 5 * SUITE_CHUNK);
	struct blob_id other = store_content(*state, &(struct blob_meta){ 0 }, SUITE_CHUNK + 1);
	struct blob_reader *r = NULL;

	assert_int_equal(blob_remove(*state, &id, NULL), 0);
	assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
	assert_int_equal(await_no_chunks(*state, &id, 0), 0);
	expect_blob(*state, &other, SUITE_CHUNK + 1);
}

BLOB_TEST(removing_what_is_not_there_is_fine)
{
	struct blob_id id = blob_id_new();

	assert_int_equal(blob_remove(*state, &id, NULL), 0);
}

BLOB_TEST(ranges_across_the_borders_of_chunks_are_exact)
{
	static const int64_t size = 9 * SUITE_CHUNK + 17;
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, size);
	struct blob_reader *r = NULL;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	for (int64_t n = 1; n <= 9; n++) {
		expect_content(r, n * SUITE_CHUNK - 1, 2);
		expect_content(r, n * SUITE_CHUNK, 1);
	}
	expect_content(r, 3 * SUITE_CHUNK - 5, 4 * SUITE_CHUNK + 10);
	expect_content(r, size - 1, 1);
	expect_content(r, size, 0);
	blob_reader_close(r);
}

BLOB_TEST(seeking_back_and_forth_reads_the_right_bytes)
{
	static const int64_t size = 30 * SUITE_CHUNK + 100;
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, size);
	struct blob_reader *r = NULL;
	uint32_t x = 2463534242U;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	for (int i = 0; i < 60; i++) {
		int64_t from, count;

		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		from = (int64_t)x % size;
		count = i % 3 ? 1000 : 3 * SUITE_CHUNK;
		expect_content(r, from, from + count < size ? count : size - from);
	}
	expect_content(r, 0, size);
	expect_content(r, 0, size);
	blob_reader_close(r);
}

/* Of stores that lend. Both ways of reading move one position. */
BLOB_TEST(what_is_lent_is_what_would_be_read)
{
	static const int64_t size = 9 * SUITE_CHUNK + 17, from = SUITE_CHUNK - 3;
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, size);
	struct blob_reader *r = NULL;
	const void *at = NULL;
	size_t got = 1;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	expect_content(r, 0, from);
	for (int64_t n = from; blob_lends(r) && n < size; n += (int64_t)got) {
		if (n < size - 1 && n % 2 > 0) {
			expect_content(r, n, 1);
			n++;
		}
		assert_int_equal(blob_lend(r, &at, &got, NULL), 0);
		assert_in_range(got, 1, size - n);
		for (size_t i = 0; i < got; i++)
			if (((const uint8_t *)at)[i] != content_at(n + (int64_t)i))
				fail_msg("byte %lld differs", (long long)n + (long long)i);
	}
	assert_int_equal(blob_seek(r, size, NULL), 0);
	if (blob_lends(r))
		assert_int_equal(blob_lend(r, &at, &got, NULL), 0);
	assert_true(!blob_lends(r) || got == 0);
	blob_reader_close(r);
}

BLOB_TEST(a_seek_outside_is_refused_and_moves_nothing)
{
	struct blob_id id = store_content(*state, &(struct blob_meta){ 0 }, 10);
	struct blob_reader *r = NULL;
	size_t got = 0;
	uint8_t byte;

	assert_int_equal(blob_open(*state, &id, &r, NULL), 0);
	assert_int_equal(blob_seek(r, 4, NULL), 0);
	assert_int_equal(blob_seek(r, 11, NULL), ERR_INVALID);
	assert_int_equal(blob_seek(r, -1, NULL), ERR_INVALID);
	assert_int_equal(blob_read(r, &byte, 1, &got, NULL), 0);
	assert_int_equal(got, 1);
	assert_int_equal(byte, content_at(4));
	blob_reader_close(r);
}

BLOB_TEST(an_unknown_blob_is_not_found_and_leaves_the_result_alone)
{
	struct blob_reader untouched, *r = &untouched;
	struct blob_id id = blob_id_new();
	struct err e = ERR_NONE;

	assert_int_equal(blob_open(*state, &id, &r, &e), ERR_NOT_FOUND);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_ptr_equal(r, &untouched);
}

BLOB_TEST(metadata_comes_back_as_it_was_given)
{
	struct blob_meta meta = { .owner = "anna@example.org",
				  .video_fid = blob_id_new(),
				  .content_type = "video/mp4",
				  .filename = "holiday.mp4" };
	struct blob_id id = store_content(*state, &meta, 1);
	struct blob_info info = info_of(*state, &id);

	assert_string_equal(info.meta.owner, meta.owner);
	assert_string_equal(info.meta.video_fid.hex, meta.video_fid.hex);
	assert_string_equal(info.meta.content_type, meta.content_type);
	assert_string_equal(info.meta.filename, meta.filename);
	assert_int_equal(info.chunk_size, SUITE_CHUNK);
	assert_in_range(info.uploaded_ms, now_unix_ms() - DAY_MS, now_unix_ms() + DAY_MS);
}

BLOB_TEST(hostile_text_stays_text)
{
	static const char *const texts[] = {
		"Zo\xc3\xab \xe2\x98\x83 \xf0\x9f\x8e\xb5.mp4",
		"\"quoted\" 'single' \\ back\nnew\tline",
		"$where",
		"{\"$gt\": \"\"}",
		"$x.y.$z",
		"../../etc/passwd",
		"%s%n%d",
		"\x7f\x01",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct blob_meta meta = { 0 };
		struct blob_info info;
		struct blob_id id;

		assert_int_equal(str_copy(meta.owner, sizeof meta.owner, texts[i], NULL), 0);
		assert_int_equal(str_copy(meta.filename, sizeof meta.filename, texts[i], NULL), 0);
		id = store_content(*state, &meta, 3);
		info = info_of(*state, &id);
		assert_string_equal(info.meta.owner, texts[i]);
		assert_string_equal(info.meta.filename, texts[i]);
		expect_blob(*state, &id, 3);
	}
}

BLOB_TEST(the_longest_text_is_kept_whole)
{
	struct blob_meta meta = { 0 };
	struct blob_info info;
	struct blob_id id;

	memset(meta.owner, 'o', USERNAME_MAX);
	memset(meta.filename, 'f', FILENAME_MAX_BYTES);
	memset(meta.content_type, 'c', CONTENT_TYPE_MAX);
	id = store_content(*state, &meta, 3);
	info = info_of(*state, &id);
	assert_string_equal(info.meta.owner, meta.owner);
	assert_string_equal(info.meta.filename, meta.filename);
	assert_string_equal(info.meta.content_type, meta.content_type);
}

BLOB_TEST(text_that_is_not_utf8_does_not_cost_the_blob)
{
	struct blob_meta meta = { .filename = "caf\xe9.mp4", .owner = "\xff\xfe" };
	struct blob_id id = store_content(*state, &meta, 3);
	struct blob_info info = info_of(*state, &id);

	assert_string_equal(info.meta.filename, "caf?.mp4");
	assert_string_equal(info.meta.owner, "??");
}

BLOB_TEST(a_store_that_answers_pings)
{
	assert_int_equal(blob_store_ping(*state, NULL), 0);
}
