/* What hostile words come to before they go into a tag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "model/tags.h"

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
expect_words(enum tag_field field, const char *text, enum tag_field other, const char *more,
	     const char *expected)
{
	struct tags tags = { 0 };
	char to[TAG_LYRICS_MAX];
	size_t len;

	tags.text[other] = more;
	tags.text[field] = text;
	len = tags_words(&tags, field, to);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(to, expected, len);
}

static void
a_number_may_have_its_total_beside_it(void **state)
{
	(void)state;
	expect_words(TAG_DISC, "1", TAG_DISC_TOTAL, "2", "1/2");
	expect_words(TAG_TRACK, " 3", TAG_TRACK_TOTAL, "12 ", "3/12");
	expect_words(TAG_DISC, "1/3", TAG_DISC_TOTAL, "2", "1/3");
	expect_words(TAG_DISC, "1", TAG_DISC_TOTAL, "two", "1");
	expect_words(TAG_DISC, "1", TAG_DISC_TOTAL, "", "1");
	expect_words(TAG_DISC, "A", TAG_DISC_TOTAL, "2", "A");
	expect_words(TAG_DISC, NULL, TAG_DISC_TOTAL, "2", "");
	expect_words(TAG_DISC, "1", TAG_TRACK_TOTAL, "9", "1");
}

static void
a_language_is_a_code_of_three_letters(void **state)
{
	static const char *const pairs[][2] = {
		{ "deu", "deu" }, { "ENG", "eng" },    { "eng,spa", "eng" }, { "und", "" },
		{ "XXX", "" },    { "en", "" },        { "english", "" },    { "", "" },
		{ "zxx", "zxx" }, { "por-BR", "por" }, { "d\xc3\xa9", "" },  { "d\0u", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		expect_words(TAG_LANGUAGE, pairs[i][0], TAG_TITLE, NULL, pairs[i][1]);
}

static void
a_compilation_is_what_says_that_it_is_one(void **state)
{
	static const char *const pairs[][2] = {
		{ "1", "1" }, { "true", "1" }, { "TRUE ", "1" },       { "0", "" },
		{ "", "" },   { "no", "" },    { "truetruetrue", "" }, { "11", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		expect_words(TAG_COMPILATION, pairs[i][0], TAG_TITLE, NULL, pairs[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_are_dropped_and_lines_joined),
		cmocka_unit_test(what_is_no_utf8_is_latin1_or_nothing),
		cmocka_unit_test(a_text_is_cut_between_characters),
		cmocka_unit_test(a_date_is_what_of_it_is_one),
		cmocka_unit_test(a_number_may_have_its_total_beside_it),
		cmocka_unit_test(a_language_is_a_code_of_three_letters),
		cmocka_unit_test(a_compilation_is_what_says_that_it_is_one),
	};

	return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
