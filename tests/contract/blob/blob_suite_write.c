#include "contract/blob/blob_suite_private.h"

#include <pthread.h>

#define WRITERS 6
#define GONE_MS 10000

BLOB_TEST(every_size_around_the_chunks_is_read_back)
{
	static const int64_t sizes[] = {
		0,
		1,
		SUITE_CHUNK - 1,
		SUITE_CHUNK,
		SUITE_CHUNK + 1,
		3 * SUITE_CHUNK + 5,
		20 * SUITE_CHUNK,
	};
	const struct blob_meta none = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct blob_id id = store_content(*state, &none, sizes[i]);

		expect_blob(*state, &id, sizes[i]);
	}
}

BLOB_TEST(a_blob_is_invisible_before_its_commit)
{
	struct blob_reader untouched, *r = &untouched;
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 20 * SUITE_CHUNK), 0);
	assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
	assert_ptr_equal(r, &untouched);
	assert_int_equal(blob_commit(w, NULL), 0);
	expect_blob(*state, &id, 20 * SUITE_CHUNK);
	blob_writer_close(w);
	expect_blob(*state, &id, 20 * SUITE_CHUNK);
}

BLOB_TEST(what_is_closed_without_a_commit_leaves_no_chunk)
{
	for (int hold = 0; hold < 2; hold++) {
		struct blob_id id = blob_id_new();
		struct blob_reader *r = NULL;
		struct blob_writer *w = NULL;

		assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
		if (hold)
			assert_int_equal(blob_hold(w, 9, NULL), 0);
		assert_int_equal(write_content(w, 12 * SUITE_CHUNK + 1), 0);
		blob_writer_close(w);
		assert_int_equal(await_no_chunks(*state, &id, GONE_MS), 0);
		assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
	}
}

BLOB_TEST(many_writers_that_give_up_leave_no_chunk)
{
	struct blob_id ids[40];

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct blob_writer *w = NULL;

		ids[i] = blob_id_new();
		assert_int_equal(blob_create(*state, &ids[i], &(struct blob_meta){ 0 }, &w, NULL),
				 0);
		assert_int_equal(write_content(w, (int64_t)(i % 10) * SUITE_CHUNK), 0);
		blob_writer_close(w);
	}
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_int_equal(await_no_chunks(*state, &ids[i], GONE_MS), 0);
}

struct side {
	struct blob_store *store;
	struct blob_id id;
	pthread_t thread;
	int64_t size;
	int result;
};

static void *
write_one(void *arg)
{
	struct side *side = arg;
	struct blob_writer *w = NULL;

	side->result = blob_create(side->store, &side->id, &(struct blob_meta){ 0 }, &w, NULL);
	if (side->result == 0)
		side->result = write_content(w, side->size);
	if (side->result == 0)
		side->result = blob_commit(w, NULL);
	blob_writer_close(w);
	return NULL;
}

BLOB_TEST(writers_side_by_side_do_not_mix)
{
	struct side sides[WRITERS];

	for (int i = 0; i < WRITERS; i++) {
		sides[i] = (struct side){ *state, blob_id_new(), .size = i * 9 * SUITE_CHUNK + i };
		assert_int_equal(pthread_create(&sides[i].thread, NULL, write_one, &sides[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(sides[i].thread, NULL), 0);
		assert_int_equal(sides[i].result, 0);
		expect_blob(*state, &sides[i].id, sides[i].size);
	}
}

/* A writer that has written before bytes and may change the next len, of whatever comes then. */
static struct blob_writer *
holding(struct blob_store *s, struct blob_id *ret_id, int64_t before, size_t len)
{
	struct blob_writer *w = NULL;

	*ret_id = blob_id_new();
	assert_int_equal(blob_create(s, ret_id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, before), 0);
	assert_int_equal(blob_hold(w, len, NULL), 0);
	return w;
}

static void
expect_patched(struct blob_store *s, const struct blob_id *id, int64_t offset, const char *text)
{
	struct blob_reader *r = NULL;
	size_t len = strlen(text), got = 0;
	char seen[16];

	assert_int_equal(blob_open(s, id, &r, NULL), 0);
	expect_content(r, 0, offset);
	assert_int_equal(blob_seek(r, offset, NULL), 0);
	for (size_t at = 0; at < len; at += got) {
		assert_int_equal(blob_read(r, seen + at, len - at, &got, NULL), 0);
		assert_true(got > 0);
	}
	assert_memory_equal(seen, text, len);
	expect_content(r, offset + (int64_t)len, r->info.length - offset - (int64_t)len);
	blob_reader_close(r);
}

BLOB_TEST(held_bytes_are_patched_after_the_rest_was_written)
{
	/* in the first chunk, in a later one, and across the border of two */
	static const int64_t befores[] = { 0, 3 * SUITE_CHUNK + 9, 2 * SUITE_CHUNK - 6 };

	for (size_t i = 0; i < ARRAY_LEN(befores); i++) {
		struct blob_id id;
		struct blob_writer *w = holding(*state, &id, befores[i], 12);
		int64_t size = 20 * SUITE_CHUNK + 7;

		assert_int_equal(write_content(w, size - befores[i]), 0);
		assert_int_equal(blob_patch(w, befores[i], "Xing-and-end", 12, NULL), 0);
		assert_int_equal(blob_patch(w, befores[i] + 9, "END", 3, NULL), 0);
		assert_int_equal(w->length, size);
		assert_int_equal(blob_commit(w, NULL), 0);
		blob_writer_close(w);
		expect_patched(*state, &id, befores[i], "Xing-and-END");
	}
}

BLOB_TEST(held_bytes_of_one_short_chunk_are_patched)
{
	struct blob_id id;
	struct blob_writer *w = holding(*state, &id, 0, 64);

	assert_int_equal(write_content(w, 20), 0);
	assert_int_equal(blob_patch(w, 0, "Xing", 4, NULL), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_patched(*state, &id, 0, "Xing");
}

BLOB_TEST(a_patch_of_what_is_not_held_is_refused)
{
	struct blob_id id;
	struct blob_writer *w = holding(*state, &id, 50, 100);

	assert_int_equal(blob_patch(w, 50, "", 0, NULL), 0);
	assert_int_equal(blob_patch(w, 50, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(write_content(w, 50), 0);
	assert_int_equal(blob_patch(w, 99, "xy", 2, NULL), ERR_INVALID);
	assert_int_equal(write_content(w, SUITE_CHUNK), 0);
	assert_int_equal(blob_patch(w, 49, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(blob_patch(w, 149, "xy", 2, NULL), ERR_INVALID);
	assert_int_equal(blob_patch(w, -1, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(blob_patch(w, INT64_MAX, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(blob_patch(w, 51, "x", SIZE_MAX, NULL), ERR_INVALID);
	blob_writer_close(w);
}

BLOB_TEST(what_is_held_is_said_once_and_is_little)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(*state, &id, &(struct blob_meta){ 0 }, &w, NULL), 0);
	assert_int_equal(write_content(w, 100), 0);
	assert_int_equal(blob_patch(w, 0, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(blob_hold(w, 0, NULL), ERR_INVALID);
	assert_int_equal(blob_hold(w, BLOB_HOLD_MAX + 1, NULL), ERR_INVALID);
	assert_int_equal(blob_hold(w, BLOB_HOLD_MAX, NULL), 0);
	assert_int_equal(blob_hold(w, 1, NULL), ERR_INVALID);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(*state, &id, 100);
}
