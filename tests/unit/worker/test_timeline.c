/* Where sound is placed on the film's time, by arithmetic alone: no media file is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/source/timeline.h"

#define RATE 48000
#define FRAME 960 /* 20 ms */
#define MS (TIMELINE_FLICKS / 1000)

struct film {
	struct timeline timeline;
	struct warnings warnings;
	int64_t silence, skipped, taken; /* samples, in all */
};

static void
film_start(struct film *f, int64_t zero)
{
	struct timeline_rules rules = { .zero = zero,
					.tick = TIMELINE_FLICKS / RATE,
					.most_overlap = TIMELINE_MAX_OVERLAP_MS * MS };

	*f = (struct film){ 0 };
	timeline_start(&f->timeline, &rules, &f->warnings);
}

static struct timeline_place
film_frame(struct film *f, int64_t at, uint32_t lost)
{
	struct timeline_place place;

	timeline_place(&f->timeline, at, FRAME, RATE, lost, &place);
	f->silence += place.silence;
	f->skipped += place.skip;
	f->taken += place.take;
	return place;
}

/* Frames one behind the other; returns the time behind the last. */
static int64_t
film_frames(struct film *f, int64_t at, int count)
{
	for (int i = 0; i < count; i++, at += 20 * MS)
		(void)film_frame(f, at, 0);
	return at;
}

static void
a_clock_that_stands_still_tells_nothing(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 5000 * MS);
	for (int i = 0; i < 100; i++) {
		assert_false(timeline_doubts(&f.timeline, 5000 * MS));
		(void)film_frame(&f, 5000 * MS, 0);
	}
	assert_int_equal(f.taken, 100 * FRAME);
	assert_int_equal(f.silence + f.skipped, 0);
	assert_int_equal(f.warnings.count, 0);
}

static void
frames_that_follow_one_another_are_taken_whole(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 0);
	(void)film_frames(&f, 0, 500);
	assert_int_equal(f.silence, 0);
	assert_int_equal(f.taken, 500 * FRAME);
	assert_int_equal(f.warnings.count, 0);
}

static void
a_hole_becomes_silence_of_its_length_and_is_said(void **state)
{
	struct film f;
	int64_t at;

	(void)state;
	film_start(&f, 0);
	at = film_frames(&f, 0, 100);
	assert_int_equal(film_frame(&f, at + 1500 * MS, 0).silence, RATE * 3 / 2);
	assert_int_equal(f.warnings.count, 1);
	assert_int_equal(f.warnings.list[0].code, WARNING_GAP_FILLED);
	assert_int_equal(f.warnings.list[0].at_ms, 2000);
	assert_int_equal(f.warnings.list[0].ms, 1500);
	assert_int_equal(timeline_position(&f.timeline), at + 1520 * MS);
}

static void
a_hole_behind_packets_that_did_not_decode_is_damage(void **state)
{
	struct film f;
	int64_t at;

	(void)state;
	film_start(&f, 0);
	at = film_frames(&f, 0, 10);
	assert_int_equal(film_frame(&f, at + 100 * MS, 5).silence, RATE / 10);
	assert_int_equal(f.warnings.list[0].code, WARNING_DAMAGED);
	assert_int_equal(f.warnings.list[0].events, 5);
}

static void
sound_that_begins_late_has_silence_in_front_to_the_sample(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 0);
	assert_int_equal(film_frame(&f, 3000 * MS, 0).silence, 3 * RATE);
	assert_int_equal(f.warnings.list[0].code, WARNING_LATE_START);
	film_start(&f, 0);
	assert_int_equal(film_frame(&f, 11 * MS, 0).silence, 11 * RATE / 1000);
	assert_int_equal(f.warnings.count, 0);
	film_start(&f, TIMELINE_UNKNOWN);
	assert_int_equal(film_frame(&f, 3000 * MS, 0).silence, 0);
}

static void
an_overlap_is_cut_to_the_sample_over_as_many_frames_as_it_takes(void **state)
{
	struct film f;
	int64_t at;

	(void)state;
	film_start(&f, 0);
	at = film_frames(&f, 0, 100);
	(void)film_frames(&f, at - 45 * MS, 10);
	assert_int_equal(f.skipped, 45 * RATE / 1000);
	assert_int_equal(f.warnings.count, 1);
	assert_int_equal(f.warnings.list[0].code, WARNING_OVERLAP_CUT);
	assert_int_equal(timeline_position(&f.timeline), at - 45 * MS + 200 * MS);
}

/* Each below what is mended at once: together they are not. */
static void
small_overlaps_at_many_joins_do_not_add_up(void **state)
{
	struct film f;
	int64_t at = 0, off;

	(void)state;
	film_start(&f, 0);
	for (int join = 0; join < 40; join++)
		at = film_frames(&f, at, 50) - 13 * MS;
	off = timeline_position(&f.timeline) - (at + 13 * MS);
	assert_true(off <= 20 * MS && off >= -20 * MS);
}

static void
jitter_is_left_alone(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 0);
	for (int i = 0; i < 3000; i++)
		(void)film_frame(&f, (20 * i + (i * 7) % 15) * MS, 0);
	assert_int_equal(f.silence + f.skipped, 0);
}

static void
a_clock_that_drifts_is_not_followed(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 0);
	for (int i = 0; i < 3000; i++)
		(void)film_frame(&f, i * 22 * MS, 0);
	assert_int_equal(f.silence + f.skipped, 0);
	assert_int_equal(f.warnings.count, 0);
}

/* Of a container that rounds to milliseconds; the sum of what it rounds away is no hole. */
static void
a_coarse_clock_that_always_rounds_down_makes_no_overlaps(void **state)
{
	struct timeline_rules rules = { .zero = 0, .tick = MS };
	struct timeline_place place;
	struct timeline t;

	(void)state;
	timeline_start(&t, &rules, NULL);
	for (int i = 0; i < 5000; i++) {
		timeline_place(&t, i * 21 * MS, 1024, RATE, 0, &place);
		assert_int_equal(place.silence + place.skip, 0);
	}
}

/* What rounded the packets before the hole is not added to what rounds the one behind it. */
static void
a_hole_of_a_coarse_clock_ends_where_the_clock_says(void **state)
{
	struct timeline_rules rules = { .zero = 0, .tick = MS };
	struct timeline_place place;
	struct timeline t;

	(void)state;
	for (int packets = 1; packets < 50; packets++) {
		int64_t at = 0, taken = packets * INT64_C(1024);

		timeline_start(&t, &rules, NULL);
		for (int i = 0; i < packets; i++) {
			at = (i * INT64_C(1024) * 1000 + RATE / 2) / RATE * MS;
			timeline_place(&t, at, 1024, RATE, 0, &place);
			assert_int_equal(place.silence + place.skip, 0);
		}
		at += 500 * MS;
		timeline_place(&t, at, 1024, RATE, 0, &place);
		assert_int_equal(taken + place.silence, at / MS * RATE / 1000);
	}
}

static void
a_clock_that_jumps_goes_on_without_silence(void **state)
{
	static const int64_t jumps[] = { -5000, 6 * 60 * 1000, INT64_C(10) * 365 * 24 * 3600000 };
	struct film f;
	int64_t at;

	(void)state;
	for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		film_start(&f, 0);
		at = film_frames(&f, 0, 1000);
		(void)film_frames(&f, at + jumps[i] * MS, 10);
		assert_int_equal(f.silence + f.skipped, 0);
		assert_int_equal(f.warnings.count, 1);
		assert_int_equal(f.warnings.list[0].code, WARNING_CLOCK_RESTARTED);
	}
}

static void
a_file_of_holes_makes_no_more_silence_than_an_hour_and_ten_times_its_sound(void **state)
{
	struct film f;
	int64_t at = 0;

	(void)state;
	film_start(&f, 0);
	for (int i = 0; i < 1000; i++, at += 290 * 1000 * MS)
		(void)film_frame(&f, at, 0);
	assert_true(f.silence <= INT64_C(3600) * RATE + 10 * f.taken);
	assert_true(f.silence > INT64_C(3000) * RATE);
}

static void
one_time_that_is_wrong_is_seen_by_the_next_one(void **state)
{
	struct film f;
	int64_t at;

	(void)state;
	film_start(&f, 0);
	at = film_frames(&f, 0, 100);
	assert_false(timeline_doubts(&f.timeline, at + 15 * MS));
	assert_true(timeline_doubts(&f.timeline, at + 60000 * MS));
	assert_false(timeline_agrees(&f.timeline, at + 60000 * MS, FRAME, RATE, at + 20 * MS));
	assert_true(timeline_agrees(&f.timeline, at + 60000 * MS, FRAME, RATE, at + 60020 * MS));
}

static void
a_damaged_end_is_silence_to_where_its_packets_end(void **state)
{
	struct film f;
	int64_t at;

	(void)state;
	film_start(&f, 0);
	at = film_frames(&f, 0, 100);
	assert_int_equal(timeline_rest(&f.timeline, at + 400 * MS, 0), 0);
	assert_int_equal(timeline_rest(&f.timeline, at + 400 * MS, 20), 4 * RATE / 10);
}

/* Of a raw stream whose rate changes, libav counts on in the first rate. */
static void
a_stream_without_a_clock_has_no_holes_but_where_packets_were_lost(void **state)
{
	struct timeline_rules rules = { .zero = TIMELINE_UNKNOWN, .tick = 1, .no_clock = true };
	struct timeline_place place;
	struct timeline t;

	(void)state;
	timeline_start(&t, &rules, NULL);
	timeline_place(&t, 0, FRAME, RATE, 0, &place);
	timeline_place(&t, 500 * MS, FRAME, RATE, 0, &place);
	assert_int_equal(place.silence, 0);
	timeline_place(&t, 100 * MS, FRAME, RATE, 0, &place);
	assert_int_equal(place.skip, 0);
	timeline_place(&t, 220 * MS, FRAME, RATE, 5, &place);
	assert_int_equal(place.silence, RATE / 10);
}

static void
gaps_can_be_dropped(void **state)
{
	struct timeline_rules rules = { .zero = 0, .tick = 1, .drop_gaps = true };
	struct timeline_place place;
	struct timeline t;

	(void)state;
	timeline_start(&t, &rules, NULL);
	timeline_place(&t, 3000 * MS, FRAME, RATE, 0, &place);
	assert_int_equal(place.silence, 0);
	timeline_place(&t, 9000 * MS, FRAME, RATE, 0, &place);
	assert_int_equal(place.silence, 0);
	assert_int_equal(place.take, FRAME);
}

static void
a_codec_whose_packets_hold_many_frames_may_be_off_by_one_packet(void **state)
{
	struct film f;

	(void)state;
	film_start(&f, 0);
	for (int packet = 0; packet < 100; packet++) {
		(void)film_frame(&f, (packet * 100 + packet % 3 * 40) * MS, 0);
		for (int i = 0; i < 4; i++)
			(void)film_frame(&f, TIMELINE_UNKNOWN, 0);
	}
	assert_true(f.silence + f.skipped <= RATE / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_stands_still_tells_nothing),
		cmocka_unit_test(frames_that_follow_one_another_are_taken_whole),
		cmocka_unit_test(a_hole_becomes_silence_of_its_length_and_is_said),
		cmocka_unit_test(a_hole_behind_packets_that_did_not_decode_is_damage),
		cmocka_unit_test(sound_that_begins_late_has_silence_in_front_to_the_sample),
		cmocka_unit_test(an_overlap_is_cut_to_the_sample_over_as_many_frames_as_it_takes),
		cmocka_unit_test(small_overlaps_at_many_joins_do_not_add_up),
		cmocka_unit_test(jitter_is_left_alone),
		cmocka_unit_test(a_clock_that_drifts_is_not_followed),
		cmocka_unit_test(a_coarse_clock_that_always_rounds_down_makes_no_overlaps),
		cmocka_unit_test(a_hole_of_a_coarse_clock_ends_where_the_clock_says),
		cmocka_unit_test(a_clock_that_jumps_goes_on_without_silence),
		cmocka_unit_test(
			a_file_of_holes_makes_no_more_silence_than_an_hour_and_ten_times_its_sound),
		cmocka_unit_test(one_time_that_is_wrong_is_seen_by_the_next_one),
		cmocka_unit_test(a_damaged_end_is_silence_to_where_its_packets_end),
		cmocka_unit_test(a_stream_without_a_clock_has_no_holes_but_where_packets_were_lost),
		cmocka_unit_test(gaps_can_be_dropped),
		cmocka_unit_test(a_codec_whose_packets_hold_many_frames_may_be_off_by_one_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
