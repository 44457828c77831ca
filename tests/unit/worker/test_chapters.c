/* What of a file's chapters goes into a tag: on the sound's time, in order, within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libavformat/avformat.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/tags/chapters.h"

#define MS                                                                                         \
	{                                                                                          \
		1, 1000                                                                            \
	}

static void
expect_chapters(AVChapter *chapters, size_t count, int64_t zero_ms,
		const struct tag_chapter *expected, size_t kept)
{
	AVChapter *list[8];
	AVFormatContext format = { .nb_chapters = (unsigned)count, .chapters = list };
	struct tags tags;

	for (size_t i = 0; i < count; i++)
		list[i] = &chapters[i];
	chapters_read(&format, zero_ms, &tags);
	assert_int_equal(tags.chapter_count, kept);
	assert_int_equal(tags.chapters_left_out, 0);
	for (size_t i = 0; i < kept; i++) {
		assert_int_equal(tags.chapters[i].start_ms, expected[i].start_ms);
		assert_int_equal(tags.chapters[i].end_ms, expected[i].end_ms);
		assert_null(tags.chapters[i].title);
	}
}

static void
times_of_any_clock_are_milliseconds_of_the_sound(void **state)
{
	AVChapter chapters[] = {
		{ .time_base = MS, .start = 0, .end = 1000 },
		{ .time_base = { 1, 1000000000 }, .start = 1000000000, .end = 2500000000 },
		{ .time_base = { 1, 44100 }, .start = 110250, .end = 44100 * 3 },
	};
	const struct tag_chapter plain[] = { { 0, 1000, NULL },
					     { 1000, 2500, NULL },
					     { 2500, 3000, NULL } };
	const struct tag_chapter later[] = { { 0, 500, NULL },
					     { 500, 2000, NULL },
					     { 2000, 2500, NULL } };
	const struct tag_chapter earlier[] = { { 250, 1250, NULL },
					       { 1250, 2750, NULL },
					       { 2750, 3250, NULL } };

	(void)state;
	expect_chapters(chapters, 3, 0, plain, 3);
	expect_chapters(chapters, 3, 500, later, 3);
	expect_chapters(chapters, 3, -250, earlier, 3);
	expect_chapters(chapters, 3, 1000,
			(struct tag_chapter[]){ { 0, 1500, NULL }, { 1500, 2000, NULL } }, 2);
}

static void
chapters_stand_in_the_order_of_their_starts(void **state)
{
	AVChapter chapters[] = {
		{ .time_base = MS, .start = 2000, .end = 3000 },
		{ .time_base = MS, .start = 0, .end = 3000 },
		{ .time_base = MS, .start = 500, .end = 2500 },
		{ .time_base = MS, .start = 500, .end = 700 },
	};
	const struct tag_chapter expected[] = {
		{ 0, 3000, NULL }, { 500, 2500, NULL }, { 500, 700, NULL }, { 2000, 3000, NULL }
	};

	(void)state;
	expect_chapters(chapters, 4, 0, expected, 4);
}

static void
a_chapter_without_an_end_lasts_up_to_the_next(void **state)
{
	AVChapter chapters[] = {
		{ .time_base = MS, .start = 0, .end = AV_NOPTS_VALUE },
		{ .time_base = MS, .start = 1000, .end = 1000 },
		{ .time_base = MS, .start = 2000, .end = 1500 },
		{ .time_base = MS, .start = 3000, .end = 3000 },
	};
	const struct tag_chapter expected[] = { { 0, 1000, NULL },
						{ 1000, 2000, NULL },
						{ 2000, 3000, NULL },
						{ 3000, TAG_CHAPTER_OPEN, NULL } };

	(void)state;
	expect_chapters(chapters, 4, 0, expected, 4);
}

static void
times_that_cannot_be_are_no_chapters(void **state)
{
	AVChapter chapters[] = {
		{ .time_base = MS, .start = -5000, .end = -1 },
		{ .time_base = MS, .start = AV_NOPTS_VALUE, .end = AV_NOPTS_VALUE },
		{ .time_base = MS, .start = INT64_MAX, .end = INT64_MAX },
		{ .time_base = { INT32_MAX, 1 }, .start = INT64_MAX / 2, .end = INT64_MAX },
		{ .time_base = { 1, 0 }, .start = 5, .end = 6 },
		{ .time_base = MS, .start = UINT32_MAX, .end = INT64_C(1) << 33 },
		{ .time_base = MS, .start = -5000, .end = 700 },
		{ .time_base = MS, .start = 800, .end = INT64_MAX },
	};
	const struct tag_chapter expected[] = { { 0, 700, NULL }, { 800, TAG_CHAPTER_OPEN, NULL } };

	(void)state;
	expect_chapters(chapters, 8, 0, expected, 2);
}

static void
of_too_many_the_first_are_kept_and_the_others_counted(void **state)
{
	enum { COUNT = 100000 };
	AVChapter *chapters = calloc(COUNT, sizeof *chapters);
	AVChapter **list = calloc(COUNT, sizeof(AVChapter *));
	AVFormatContext format = { .nb_chapters = COUNT, .chapters = list };
	struct tags tags;

	(void)state;
	assert_true(chapters && list);
	for (int i = 0; i < COUNT; i++) {
		chapters[i] = (AVChapter){ .time_base = MS, .start = COUNT - i, .end = COUNT };
		list[i] = &chapters[i];
	}
	chapters_read(&format, 0, &tags);
	assert_int_equal(tags.chapter_count, TAG_CHAPTERS_MAX);
	assert_int_equal(tags.chapters_left_out, COUNT - TAG_CHAPTERS_MAX);
	for (size_t i = 0; i < TAG_CHAPTERS_MAX; i++)
		assert_int_equal(tags.chapters[i].start_ms,
				 COUNT - (TAG_CHAPTERS_MAX - 1) + (int)i);
	free(list);
	free(chapters);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_any_clock_are_milliseconds_of_the_sound),
		cmocka_unit_test(chapters_stand_in_the_order_of_their_starts),
		cmocka_unit_test(a_chapter_without_an_end_lasts_up_to_the_next),
		cmocka_unit_test(times_that_cannot_be_are_no_chapters),
		cmocka_unit_test(of_too_many_the_first_are_kept_and_the_others_counted),
	};

	return cmocka_run_group_tests_name("chapters", tests, NULL, NULL);
}
