/* Uploads that go on: parts written one after the other, by writers that do not know each other. */
#include "contract/blob/blob_suite_private.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/wait.h"

#define TAIL 1234 /* bytes of the last part */
#define RACERS 4
#define RACE_MS 30000

static const struct blob_meta nobody = { 0 };

static struct blob_writer *
resumed(struct blob_store *s, const struct blob_id *id, int64_t expected_length)
{
	struct blob_writer *w = NULL;
	struct err e = ERR_NONE;

	if (blob_resume(s, id, &nobody, &w, &e) != 0)
		fail_msg("resume: %s", e.text);
	assert_true(w->resumable);
	assert_int_equal(w->length, expected_length);
	return w;
}

/* One part: size more bytes, flushed. */
static void
add_part(struct blob_store *s, const struct blob_id *id, int64_t from, int64_t size)
{
	struct blob_writer *w = resumed(s, id, from);

	assert_int_equal(write_content(w, size), 0);
	assert_int_equal(blob_flush(w, NULL), 0);
	assert_int_equal(w->length, from + size);
	blob_writer_close(w);
}

static void
finish_upload(struct blob_store *s, const struct blob_id *id, int64_t from, int64_t size)
{
	struct blob_writer *w = resumed(s, id, from);

	assert_int_equal(write_content(w, size), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(s, id, from + size);
}

static const int64_t cuts[] = {
	0,
	1,
	SUITE_CHUNK - 1,
	SUITE_CHUNK,
	SUITE_CHUNK + 1,
	4 * SUITE_CHUNK,
	4 * SUITE_CHUNK + 1,
	5 * SUITE_CHUNK - 1,
	12 * SUITE_CHUNK + 7,
};

BLOB_TEST(an_upload_goes_on_at_every_border_of_a_chunk)
{
	static const int64_t rests[] = { 0, 1, SUITE_CHUNK - 1, SUITE_CHUNK, 6 * SUITE_CHUNK + 3 };

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
		for (size_t j = 0; j < ARRAY_LEN(rests); j++) {
			struct blob_id id = blob_id_new();

			add_part(*state, &id, 0, cuts[i]);
			finish_upload(*state, &id, cuts[i], rests[j]);
		}
}

BLOB_TEST(an_upload_of_many_small_parts_becomes_one_blob)
{
	struct blob_id id = blob_id_new();
	struct blob_reader *r = NULL;
	int64_t at = 0, part;

	for (int i = 0; i < 60; i++, at += part) {
		part = i % 7 == 0 ? 0 : i * 601;
		add_part(*state, &id, at, part);
		assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
	}
	finish_upload(*state, &id, at, 0);
	assert_in_range(at, 3 * SUITE_CHUNK, 4 * SUITE_CHUNK);
	expect_chunks(*state, &id, at);
}

BLOB_TEST(one_writer_flushes_often_and_goes_on)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = resumed(*state, &id, 0);

	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		assert_int_equal(blob_flush(w, NULL), 0);
		assert_int_equal(write_content(w, cuts[i] - w->length), 0);
		assert_int_equal(blob_flush(w, NULL), 0);
	}
	assert_int_equal(write_content(w, TAIL), 0);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(*state, &id, cuts[ARRAY_LEN(cuts) - 1] + TAIL);
}

BLOB_TEST(what_was_flushed_outlives_a_close_without_commit)
{
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
		for (int64_t more = 0; more < 7 * SUITE_CHUNK; more = more * 3 + 50000) {
			struct blob_id id = blob_id_new();
			struct blob_writer *w = resumed(*state, &id, 0);
			int64_t stored;

			assert_int_equal(write_content(w, cuts[i]), 0);
			assert_int_equal(blob_flush(w, NULL), 0);
			assert_int_equal(write_content(w, more), 0);
			blob_writer_close(w);
			w = NULL;
			assert_int_equal(blob_resume(*state, &id, &nobody, &w, NULL), 0);
			stored = w->length;
			assert_in_range(stored, cuts[i], cuts[i] + more);
			blob_writer_close(w);
			finish_upload(*state, &id, stored, TAIL);
		}
}

BLOB_TEST(an_upload_without_bytes_becomes_an_empty_blob)
{
	struct blob_id id = blob_id_new();

	finish_upload(*state, &id, 0, 0);
	expect_chunks(*state, &id, 0);
	id = blob_id_new();
	add_part(*state, &id, 0, 0);
	add_part(*state, &id, 0, 0);
	finish_upload(*state, &id, 0, 0);
	expect_chunks(*state, &id, 0);
}

BLOB_TEST(a_finished_upload_cannot_be_resumed)
{
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct blob_writer untouched, *w = &untouched;
		struct blob_id id = blob_id_new();

		finish_upload(*state, &id, 0, cuts[i]);
		assert_int_equal(blob_resume(*state, &id, &nobody, &w, NULL), ERR_CONFLICT);
		assert_ptr_equal(w, &untouched);
		expect_blob(*state, &id, cuts[i]);
		expect_chunks(*state, &id, cuts[i]);
	}
}

static bool
is_listed(struct blob_store *s, const struct blob_id *id)
{
	struct blob_id at = { "" };

	while (blob_next_id(s, &at, &at, NULL) == 0)
		if (blob_id_equal(&at, id))
			return true;
	return false;
}

BLOB_TEST(an_upload_that_waits_is_a_leftover_until_it_is_cleared)
{
	for (int remove = 0; remove < 2; remove++) {
		struct blob_id id = blob_id_new();
		struct blob_leftover left;

		add_part(*state, &id, 0, 5 * SUITE_CHUNK + 9);
		assert_int_equal(blob_leftover(*state, &id, &left, NULL), 0);
		assert_in_range(left.chunks, 5, 6);
		assert_in_range(left.newest_ms, now_unix_ms() - 60000, now_unix_ms());
		assert_true(is_listed(*state, &id));
		assert_int_equal(
			remove ? blob_remove(*state, &id, NULL) : blob_clear(*state, &id, NULL), 0);
		assert_int_equal(blob_leftover(*state, &id, &left, NULL), ERR_NOT_FOUND);
		finish_upload(*state, &id, 0, 2 * SUITE_CHUNK);
	}
}

BLOB_TEST(a_part_whose_upload_was_cleared_cannot_commit)
{
	struct blob_id id = blob_id_new();
	struct blob_reader *r = NULL;
	struct blob_writer *w;
	int rc;

	add_part(*state, &id, 0, 3 * SUITE_CHUNK + 1);
	w = resumed(*state, &id, 3 * SUITE_CHUNK + 1);
	assert_int_equal(blob_clear(*state, &id, NULL), 0);
	if ((rc = write_content(w, 9 * SUITE_CHUNK)) == 0)
		rc = blob_commit(w, NULL);
	assert_true(rc == ERR_CONFLICT || rc == ERR_UNAVAILABLE);
	blob_writer_close(w);
	assert_int_equal(blob_open(*state, &id, &r, NULL), ERR_NOT_FOUND);
}

BLOB_TEST(only_an_upload_that_goes_on_is_flushed_and_it_holds_nothing)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *w = NULL;

	assert_int_equal(blob_create(*state, &id, &nobody, &w, NULL), 0);
	assert_false(w->resumable);
	assert_int_equal(blob_flush(w, NULL), ERR_INVALID);
	blob_writer_close(w);
	id = blob_id_new();
	w = resumed(*state, &id, 0);
	assert_int_equal(blob_hold(w, 10, NULL), ERR_INVALID);
	assert_int_equal(write_content(w, 100), 0);
	assert_int_equal(blob_patch(w, 0, "x", 1, NULL), ERR_INVALID);
	assert_int_equal(blob_commit(w, NULL), 0);
	blob_writer_close(w);
	expect_blob(*state, &id, 100);
}

/* Bytes that are not the content: of a writer that must not get through. */
static int
write_wrong(struct blob_writer *w, int64_t size)
{
	static uint8_t wrong[SUITE_CHUNK];
	int r = 0;

	memset(wrong, 0xee, sizeof wrong);
	for (int64_t left = size; r == 0 && left > 0; left -= SUITE_CHUNK)
		r = blob_write(w, wrong, left < SUITE_CHUNK ? (size_t)left : SUITE_CHUNK, NULL);
	return r;
}

static void
expect_conflict_at_the_latest(struct blob_writer *stale, int64_t more)
{
	int r = write_wrong(stale, more);

	if (r == 0)
		r = blob_flush(stale, NULL);
	assert_int_equal(r, ERR_CONFLICT);
	assert_int_equal(blob_commit(stale, NULL), ERR_CONFLICT);
}

/* The first has length before bytes, the second begins and finishes: the first was refused or is
 * stale. */
static void
take_over(struct blob_store *s, int64_t before, int64_t pending, int64_t more)
{
	struct blob_id id = blob_id_new();
	struct blob_writer *first = resumed(s, &id, 0), *second = NULL;
	int r;

	assert_int_equal(write_content(first, before), 0);
	assert_int_equal(blob_flush(first, NULL), 0);
	r = blob_resume(s, &id, &nobody, &second, NULL);
	if (r < 0) {
		assert_int_equal(r, ERR_CONFLICT);
		blob_writer_close(first);
		finish_upload(s, &id, before, TAIL);
		return;
	}
	assert_int_equal(second->length, before);
	assert_int_equal(write_content(second, pending), 0);
	expect_conflict_at_the_latest(first, more);
	assert_int_equal(write_content(second, TAIL), 0);
	blob_writer_close(first);
	assert_int_equal(blob_commit(second, NULL), 0);
	blob_writer_close(second);
	expect_blob(s, &id, before + pending + TAIL);
}

BLOB_TEST(of_two_writers_the_first_one_loses_or_the_second_is_refused)
{
	static const int64_t sizes[] = { 0, 1, SUITE_CHUNK, 5 * SUITE_CHUNK + 1 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t j = 0; j < ARRAY_LEN(sizes); j++)
			for (size_t k = 0; k < ARRAY_LEN(sizes); k++)
				take_over(*state, sizes[i], sizes[j], sizes[k]);
}

BLOB_TEST(a_stale_writer_cannot_touch_what_the_other_has_finished)
{
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct blob_id id = blob_id_new();
		struct blob_writer *first = resumed(*state, &id, 0), *second = NULL;

		assert_int_equal(write_content(first, cuts[i]), 0);
		assert_int_equal(blob_flush(first, NULL), 0);
		if (blob_resume(*state, &id, &nobody, &second, NULL) < 0) {
			blob_writer_close(first);
			continue;
		}
		assert_int_equal(blob_commit(second, NULL), 0);
		blob_writer_close(second);
		expect_conflict_at_the_latest(first, 3 * SUITE_CHUNK);
		blob_writer_close(first);
		expect_chunks(*state, &id, cuts[i]);
		expect_blob(*state, &id, cuts[i]);
	}
}

struct racer {
	struct blob_store *store;
	struct blob_id id;
	pthread_t thread;
	int64_t size;
	uint32_t seed;
	int commits;
	int lost;          /* to others, one after the other */
	const char *wrong; /* what went wrong, or NULL */
};

static uint32_t
race_chance(struct racer *racer, uint32_t below)
{
	racer->seed = racer->seed * 1103515245 + 12345;
	return (racer->seed >> 8) % below;
}

/* As a client does that was told to come again: else all take over from each other for ever. */
static void
race_back_off(struct racer *racer, int result)
{
	racer->lost = result != ERR_CONFLICT ? 0 : racer->lost < 9 ? racer->lost + 1 : 9;
	if (racer->lost > 0)
		wait_pause(race_chance(racer, 1U << racer->lost));
}

/* Resumes, writes a part and flushes or commits it: false when the upload is over. */
static bool
race_once(struct racer *racer)
{
	SCOPED(blob_writer_close_p) struct blob_writer *w = NULL;
	SCOPED(blob_reader_close_p) struct blob_reader *done = NULL;
	int64_t left, part = race_chance(racer, 3 * SUITE_CHUNK);
	int r = blob_resume(racer->store, &racer->id, &nobody, &w, NULL);

	if (r == 0) {
		left = racer->size - w->length;
		if ((r = write_content(w, part < left ? part : left)) == 0)
			r = part < left ? blob_flush(w, NULL) : blob_commit(w, NULL);
		racer->commits += r == 0 && part >= left;
	}
	if (r != 0 && r != ERR_CONFLICT)
		racer->wrong = err_name(r);
	blob_writer_close(TAKE(w));
	race_back_off(racer, r);
	return blob_open(racer->store, &racer->id, &done, NULL) == ERR_NOT_FOUND;
}

static void *
race(void *arg)
{
	struct racer *racer = arg;
	int64_t until = now_monotonic_ms() + RACE_MS;

	while (!racer->wrong && race_once(racer))
		if (now_monotonic_ms() > until)
			racer->wrong = "nobody finished in time";
	return NULL;
}

BLOB_TEST(writers_that_race_for_one_upload_finish_it_once)
{
	struct racer racers[RACERS];
	struct blob_id id = blob_id_new();
	int64_t size = 30 * SUITE_CHUNK + 77;
	int commits = 0;

	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ *state, id, .size = size, .seed = i };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
	for (int i = 0; i < RACERS; i++) {
		if (racers[i].wrong)
			fail_msg("%s", racers[i].wrong);
		commits += racers[i].commits;
	}
	assert_int_equal(commits, 1);
	expect_blob(*state, &id, size);
	expect_chunks(*state, &id, size);
}
