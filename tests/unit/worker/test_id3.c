/* The tag in front of an mp3, byte by byte, and what hostile texts come to in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/tags/id3.h"

#define SOFTWARE "Tonearm " TONEARM_VERSION
#define TSSE_BYTES (10 + 1 + sizeof SOFTWARE)

static size_t
size_at(const uint8_t *at)
{
	for (int i = 0; i < 4; i++)
		assert_true(at[i] < 0x80);
	return (size_t)at[0] << 21 | (size_t)at[1] << 14 | (size_t)at[2] << 7 | at[3];
}

/* The frame of that name; its data's length. NULL: there is none. */
static const uint8_t *
frame(const uint8_t *tag, size_t len, const char *name, size_t *ret_len)
{
	for (size_t at = 10; at < len; at += 10 + size_at(tag + at + 4)) {
		if (memcmp(tag + at, name, 4) != 0)
			continue;
		*ret_len = size_at(tag + at + 4);
		return tag + at + 10;
	}
	return NULL;
}

static void
expect_frame(const uint8_t *tag, size_t len, const char *name, const void *data, size_t expected)
{
	size_t got = 0;
	const uint8_t *seen = frame(tag, len, name, &got);

	assert_non_null(seen);
	assert_int_equal(got, expected);
	assert_memory_equal(seen, data, expected);
}

static void
expect_clean(const char *text, enum tag_lines lines, size_t max, const char *expected)
{
	char to[64];
	size_t len = tags_clean(text, lines, to, max);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(to, expected, len);
}

static void
expect_date(const char *text, const char *expected)
{
	char to[TAG_DATE_MAX];
	size_t len = tags_date(text, to);

	assert_int_equal(len, strlen(expected));
	assert_memory_equal(to, expected, len);
}

static void
expect_tag(const struct tags *content, const char *frames, size_t len)
{
	uint8_t tag[ID3_HEAD_MAX];

	assert_int_equal(id3_write(content, tag), 10 + len);
	assert_memory_equal(tag, "ID3\4\0\0", 6);
	assert_int_equal(size_at(tag + 6), len + content->picture_len);
	assert_memory_equal(tag + 10, frames, len);
}

static void
a_source_without_words_gives_the_software_alone(void **state)
{
	const char frames[] = { 'T', 'S', 'S', 'E', 0, 0, 0, 1 + sizeof SOFTWARE, 0, 0, 3 };
	char expected[sizeof frames + sizeof SOFTWARE];

	(void)state;
	memcpy(expected, frames, sizeof frames);
	memcpy(expected + sizeof frames, SOFTWARE, sizeof SOFTWARE);
	expect_tag(&(struct tags){ 0 }, expected, sizeof expected);
}

static void
a_small_tag_is_exact(void **state)
{
	static const uint8_t picture[] = "\xff\xd8\xff\xe0 picture";
	char frames[] = "TIT2\0\0\0\6\0\0\3Time\0"
			"TPE1\0\0\0\x08\0\0\3Bj\xc3\xb6rk\0"
			"TALB\0\0\0\3\0\0\3A\0"
			"TRCK\0\0\0\6\0\0\0033/12\0"
			"TDRC\0\0\0\x0c\0\0\0032019-05-01\0"
			"TCON\0\0\0\5\0\0\3Pop\0"
			"COMM\0\0\0\x08\0\0\3XXX\0hi\0"
			"TSSE\0\0\0?\0\0\3" SOFTWARE "\0"
			"APIC\0\0\0\x1a\0\0\3image/jpeg\0\3\0";
	struct tags content = {
		.text = { "Time", "Bj\xc3\xb6rk", "A", "3/12", "20190501", "Pop", "hi" },
		.picture = picture,
		.picture_len = sizeof picture - 1,
	};

	(void)state;
	*(char *)memchr(frames, '?', sizeof frames) = 1 + sizeof SOFTWARE;
	expect_tag(&content, frames, sizeof frames - 1);
}

static void
texts_of_any_length_stay_within_their_ceilings(void **state)
{
	struct tags content = { 0 };
	char *huge = malloc((64 << 20) + 1);
	uint8_t tag[ID3_HEAD_MAX];
	size_t len, got;

	(void)state;
	assert_non_null(huge);
	for (int i = 0; i < 64 << 20; i += 2)
		memcpy(huge + i, "\xc3\xa9", 2);
	huge[0] = 'x';
	huge[1] = 'y';
	huge[64 << 20] = '\0';
	for (int i = 0; i < TAG_FIELDS; i++)
		content.text[i] = huge + (i % 2 ? 0 : 1); /* an odd start, an even one */
	len = id3_write(&content, tag);
	assert_true(len <= ID3_HEAD_MAX);
	assert_int_equal(size_at(tag + 6) + 10, len);
	assert_non_null(frame(tag, len, "TPE1", &got));
	assert_int_equal(got, 1 + TAG_TEXT_MAX + 1);
	assert_non_null(frame(tag, len, "TIT2", &got));
	assert_int_equal(got, 1 + TAG_TEXT_MAX - 1 + 1); /* cut between characters */
	assert_non_null(frame(tag, len, "COMM", &got));
	assert_int_equal(got, 5 + TAG_COMMENT_MAX - 1 + 1);
	assert_null(frame(tag, len, "TDRC", &got));
	free(huge);
}

static void
words_that_come_to_nothing_leave_no_frame(void **state)
{
	struct tags content = { .text = { "", " \t\n", "\x01\x7f", "\xc2\x85", "soon" } };
	uint8_t tag[ID3_HEAD_MAX];
	size_t len = id3_write(&content, tag);

	(void)state;
	assert_int_equal(len, 10 + TSSE_BYTES);
}

static void
control_characters_are_dropped_and_lines_joined(void **state)
{
	(void)state;
	expect_clean("a\x01\x1b[31mb\x7f\xc2\x9b"
		     "c",
		     TAG_ONE_LINE, 64, "a[31mbc");
	expect_clean("\n one\r\ntwo\rthree\tfour \n", TAG_ONE_LINE, 64, "one two three four");
	expect_clean("\n one\r\ntwo\rthree\tfour \n", TAG_MANY_LINES, 64, "one\ntwo\nthree four");
}

static void
what_is_no_utf8_is_latin1_or_nothing(void **state)
{
	(void)state;
	expect_clean("F\xfcr Elise \xe9", TAG_ONE_LINE, 64, "F\xc3\xbcr Elise \xc3\xa9");
	expect_clean("a\xed\xa0\x80"
		     "b",
		     TAG_ONE_LINE, 64, "ab"); /* a lone surrogate */
	expect_clean("a\xc0\x80"
		     "b",
		     TAG_ONE_LINE, 64, "ab"); /* an overlong NUL */
	expect_clean("a\xf4\x90\x80\x80"
		     "b",
		     TAG_ONE_LINE, 64, "ab"); /* past U+10FFFF */
	expect_clean("a\x80\x9f"
		     "b",
		     TAG_ONE_LINE, 64, "ab");
	expect_clean("\xf0\x9f\x8e\xb5", TAG_ONE_LINE, 64, "\xf0\x9f\x8e\xb5");
}

static void
a_text_is_cut_between_characters(void **state)
{
	(void)state;
	expect_clean("abc\xc3\xa9", TAG_ONE_LINE, 4, "abc");
	expect_clean("abc\xc3\xa9", TAG_ONE_LINE, 5, "abc\xc3\xa9");
	expect_clean("abc d", TAG_ONE_LINE, 4, "abc");
	expect_clean("\xf0\x9f\x8e\xb5", TAG_ONE_LINE, 3, "");
}

static void
a_date_is_what_of_it_is_one(void **state)
{
	static const char *const pairs[][2] = {
		{ "2019", "2019" },
		{ "2019-05", "2019-05" },
		{ "2019-05-01T07:08:09Z", "2019-05-01T07:08:09" },
		{ "2019-05-01 07:08", "2019-05-01T07:08" },
		{ "20190501", "2019-05-01" },
		{ "20191301", "2019" },
		{ "2019-00-00", "2019" },
		{ "2019-05-32", "2019-05" },
		{ "2019-5-1", "2019" },
		{ "2019/05/01", "2019" },
		{ "2019-05-01T24:00", "2019-05-01" },
		{ "20195", "" },
		{ "201905011", "" },
		{ "May 2019", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		expect_date(pairs[i][0], pairs[i][1]);
}

static void
a_picture_is_known_by_its_first_bytes_and_has_a_ceiling(void **state)
{
	static const uint8_t png[] = "\x89PNG\r\n\x1a\n...", gif[] = "GIF89a......";
	static const uint8_t jpeg[] = "\xff\xd8\xff\xdb";
	struct tags content = { .picture = png, .picture_len = TAG_PICTURE_MAX };
	uint8_t tag[ID3_HEAD_MAX];
	size_t len, got = 0;

	(void)state;
	assert_non_null(tags_picture_type(png, sizeof png));
	assert_non_null(tags_picture_type(jpeg, sizeof jpeg));
	assert_null(tags_picture_type(jpeg, 3));
	assert_null(tags_picture_type(png, 8));
	assert_null(tags_picture_type(gif, sizeof gif));
	assert_non_null(tags_picture_type(png, TAG_PICTURE_MAX));
	assert_null(tags_picture_type(png, (size_t)TAG_PICTURE_MAX + 1));
	len = id3_write(&content, tag);
	assert_int_equal(size_at(tag + 6) + 10, len + TAG_PICTURE_MAX);
	assert_non_null(frame(tag, len, "APIC", &got));
	assert_int_equal(got, len - 10 - TSSE_BYTES - 10 + TAG_PICTURE_MAX);
	expect_frame(tag, len, "TSSE", "\3" SOFTWARE, 1 + sizeof SOFTWARE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_without_words_gives_the_software_alone),
		cmocka_unit_test(a_small_tag_is_exact),
		cmocka_unit_test(texts_of_any_length_stay_within_their_ceilings),
		cmocka_unit_test(words_that_come_to_nothing_leave_no_frame),
		cmocka_unit_test(control_characters_are_dropped_and_lines_joined),
		cmocka_unit_test(what_is_no_utf8_is_latin1_or_nothing),
		cmocka_unit_test(a_text_is_cut_between_characters),
		cmocka_unit_test(a_date_is_what_of_it_is_one),
		cmocka_unit_test(a_picture_is_known_by_its_first_bytes_and_has_a_ceiling),
	};

	return cmocka_run_group_tests_name("id3", tests, NULL, NULL);
}
