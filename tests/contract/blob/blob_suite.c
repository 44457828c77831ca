#include "contract/blob/blob_suite_private.h"

#include <time.h>

#include "base/clock.h"

#define PIECE 70001 /* neither divides a chunk nor is divided by one */
#define CHUNKS_MS 10000

static const struct blob_suite_server *server;

uint8_t
content_at(int64_t offset)
{
	return (uint8_t)(offset ^ (offset >> 8) ^ (offset >> 16) * 31);
}

int
write_content(struct blob_writer *w, int64_t size)
{
	static _Thread_local uint8_t piece[PIECE];

	for (int64_t at = w->length, end = at + size; at < end;) {
		size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
		int r;

		for (size_t i = 0; i < n; i++)
			piece[i] = content_at(at + (int64_t)i);
		if ((r = blob_write(w, piece, n, NULL)) < 0)
			return r;
		at += (int64_t)n;
	}
	return 0;
}

struct blob_id
store_content(struct blob_store *s, const struct blob_meta *meta, int64_t size)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(s, &id, meta, &w, NULL), 0);
	assert_int_equal(write_content(w, size), 0);
	assert_int_equal(w->length, size);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	return id;
}

void
expect_content(struct blob_reader *r, int64_t from, int64_t count)
{
	static uint8_t piece[PIECE];

	assert_int_equal(blob_seek(r, from, NULL), 0);
	for (int64_t at = from; at < from + count;) {
		int64_t left = from + count - at;
		size_t want = left < PIECE ? (size_t)left : PIECE, got = 0;

		assert_int_equal(blob_read(r, piece, want, &got, NULL), 0);
		assert_in_range(got, 1, want);
		for (size_t i = 0; i < got; i++)
			if (piece[i] != content_at(at + (int64_t)i))
				fail_msg("byte %lld differs", (long long)at + (long long)i);
		at += (int64_t)got;
	}
}

void
expect_blob(struct blob_store *s, const struct blob_id *id, int64_t size)
{
	struct blob_reader *r = NULL;
	size_t got = 99;
	char byte;

	assert_int_equal(blob_open(s, id, &r, NULL), 0);
	assert_int_equal(r->info.length, size);
	assert_string_equal(r->info.id.hex, id->hex);
	expect_content(r, 0, size);
	assert_int_equal(blob_read(r, &byte, 1, &got, NULL), 0);
	assert_int_equal(got, 0);
	blob_reader_close(r);
}

struct blob_info
info_of(struct blob_store *s, const struct blob_id *id)
{
	struct blob_reader *r = NULL;
	struct blob_info info;

	assert_int_equal(blob_open(s, id, &r, NULL), 0);
	info = r->info;
	blob_reader_close(r);
	return info;
}

int
read_through(struct blob_reader *r)
{
	static uint8_t piece[PIECE];
	size_t got = 1;
	int rc = 0;

	while (rc == 0 && got > 0)
		rc = blob_read(r, piece, sizeof piece, &got, NULL);
	return rc;
}

static int64_t
await_chunks(struct blob_store *s, const struct blob_id *id, int64_t expected, int64_t ms)
{
	int64_t until = now_monotonic_ms() + ms, more;

	while ((more = server->chunks(s, id) - expected) != 0 && now_monotonic_ms() < until)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	return more;
}

int64_t
await_no_chunks(struct blob_store *s, const struct blob_id *id, int64_t ms)
{
	return await_chunks(s, id, 0, ms);
}

void
expect_chunks(struct blob_store *s, const struct blob_id *id, int64_t size)
{
	assert_int_equal(await_chunks(s, id, (size + SUITE_CHUNK - 1) / SUITE_CHUNK, CHUNKS_MS), 0);
}

static int
open_store(void **state)
{
	*state = server->open();
	return *state ? 0 : -1;
}

static int
close_store(void **state)
{
	blob_store_close(*state);
	return 0;
}

#define ENTRY(test) cmocka_unit_test_setup_teardown(test, open_store, close_store),

int
blob_suite_run(const char *name, const struct blob_suite_server *under_test)
{
	const struct CMUnitTest tests[] = { BLOB_TESTS(ENTRY) BLOB_RESUME_TESTS(ENTRY) };

	server = under_test;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int
blob_suite_run_resume(const char *name, const struct blob_suite_server *under_test)
{
	const struct CMUnitTest tests[] = { BLOB_RESUME_TESTS(ENTRY) };

	server = under_test;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
