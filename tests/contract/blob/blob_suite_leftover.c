#include "contract/blob/blob_suite_private.h"

#include "base/clock.h"

static const struct blob_meta nobody = { 0 };

static struct blob_writer *
writing(struct blob_store *s, const struct blob_id *id)
{
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(s, id, &nobody, &w, NULL), 0);
	assert_int_equal(write_content(w, 20 * SUITE_CHUNK), 0);
	return w;
}

BLOB_TEST(what_a_writer_has_stored_is_seen_before_its_commit)
{
	struct blob_id id = blob_id_new(), unknown = blob_id_new();
	struct blob_leftover left = { 42, 42 };
	struct blob_writer *w;

	assert_int_equal(blob_leftover(*state, &unknown, &left, NULL), ERR_NOT_FOUND);
	assert_int_equal(left.chunks, 42);
	w = writing(*state, &id);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), 0);
	assert_in_range(left.chunks, 1, 20);
	assert_in_range(left.newest_ms, now_unix_ms() - 60000, now_unix_ms());
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_CONFLICT);
}

BLOB_TEST(a_writer_whose_chunks_were_cleared_cannot_commit)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = writing(*state, &id);
	struct blob_leftover left;

	assert_int_equal(blob_clear(*state, &id, NULL), 0);
	assert_int_equal(blob_clear(*state, &id, NULL), 0);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_NOT_FOUND);
	assert_int_equal(blob_commit(w, NULL), ERR_UNAVAILABLE);
	blob_writer_close(w);
	assert_int_equal(await_no_chunks(*state, &id, 10000), 0);
	id = blob_id_new();
	w = writing(*state, &id);
	assert_int_equal(blob_remove(*state, &id, NULL), 0);
	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_NOT_FOUND);
	assert_int_equal(blob_commit(w, NULL), ERR_UNAVAILABLE);
	blob_writer_close(w);
}

BLOB_TEST(a_blob_is_no_leftover_and_is_not_cleared)
{
	struct blob_id id = store_content(*state, &nobody, 3 * SUITE_CHUNK + 5);
	struct blob_leftover left;

	assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_CONFLICT);
	assert_int_equal(blob_clear(*state, &id, NULL), ERR_CONFLICT);
	expect_blob(*state, &id, 3 * SUITE_CHUNK + 5);
}

/* Beside ids of other tests, which the real store may still hold. */
BLOB_TEST(every_id_with_chunks_is_found_once_in_order)
{
	struct blob_id whole = store_content(*state, &nobody, 3 * SUITE_CHUNK), id = { "" }, next;
	struct blob_id half = blob_id_new();
	struct blob_writer *w = writing(*state, &half);
	int seen = 0, r;

	while ((r = blob_next_id(*state, &id, &next, NULL)) == 0) {
		assert_true(strcmp(next.hex, id.hex) > 0);
		seen += blob_id_equal(&next, &whole) || blob_id_equal(&next, &half);
		id = next;
	}
	assert_int_equal(r, ERR_NOT_FOUND);
	assert_string_equal(next.hex, id.hex);
	assert_int_equal(seen, 2);
	blob_writer_close(w);
}
