/* Hostile text on a terminal and in a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/legible.h"

static void
shows(const char *text, const char *wanted)
{
	SCOPED(str_free) struct str s = STR_MAX(1000);

	str_legible(&s, text, strlen(text));
	assert_string_equal(str_text(&s), wanted);
}

static void
steps(const char *text, enum legible_style style, const char *wanted)
{
	char all[200] = "", piece[LEGIBLE_PIECE_MAX];
	size_t left = strlen(text), n;

	while (left > 0) {
		size_t taken = legible_step(text, left, style, piece, &n);

		assert_in_range(taken, 1, left);
		assert_int_equal(n, strlen(piece));
		assert_true(strlen(all) + n < sizeof all);
		strncat(all, piece, sizeof all - 1 - strlen(all));
		text += taken;
		left -= taken;
	}
	assert_string_equal(all, wanted);
}

static void
readable_text_of_any_script_stays(void **state)
{
	(void)state;
	shows("zo\xc3\xab \xe6\x97\xa5\xe6\x9c\xac \xd7\xa9 \xf0\x9f\x8e\xb5",
	      "zo\xc3\xab \xe6\x97\xa5\xe6\x9c\xac \xd7\xa9 \xf0\x9f\x8e\xb5");
	steps("a b\xc3\xa9", LEGIBLE_QUOTED, "a b\xc3\xa9");
}

static void
controls_become_escapes(void **state)
{
	(void)state;
	shows("\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f");
	shows("\xc2\x9b"
	      "31m",
	      "\\xc2\\x9b31m");
	steps("\x1b[2J\n\t\r\x7f", LEGIBLE_QUOTED, "\\u001b[2J\\n\\t\\r\\u007f");
	steps("\xc2\x9b", LEGIBLE_QUOTED, "\\u009b");
}

static void
marks_of_direction_and_without_width_become_escapes(void **state)
{
	(void)state;
	shows("a\xe2\x80\xae"
	      "b",
	      "a\\xe2\\x80\\xaeb"); /* right to left override */
	shows("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"); /* isolates */
	shows("\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf"); /* zero width */
	shows("\xd8\x9c", "\\xd8\\x9c");                   /* Arabic letter mark */
	shows("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"); /* a tag */
	shows("\xe2\x81\xb4", "\xe2\x81\xb4");             /* superscript four */
	steps("\xe2\x80\xae\xe2\x80\xa8", LEGIBLE_QUOTED, "\\u202e\\u2028");
	steps("\xf3\xa0\x81\x81", LEGIBLE_QUOTED, "\\udb40\\udc41");
}

static void
bytes_that_are_no_utf8_are_told_or_replaced(void **state)
{
	(void)state;
	shows("\xff\xc3", "\\xff\\xc3");
	shows("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
	steps("\xff"
	      "a",
	      LEGIBLE_QUOTED,
	      "\xef\xbf\xbd"
	      "a");
}

static void
quotes_and_backslashes_are_as_the_style_says(void **state)
{
	(void)state;
	shows("\"\\x1b\"", "\"\\\\x1b\"");
	steps("\"a\\", LEGIBLE_QUOTED, "\\\"a\\\\");
	steps("\"a\\", LEGIBLE_WORDS, "\"a\\");
}

static void
prints(const char *text, size_t len, int width, const char *wanted, int columns)
{
	SCOPED_FREE char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	assert_non_null(to);
	assert_int_equal(legible_print(to, text, len, width), columns);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(out, wanted);
}

static void
a_column_is_never_wider_than_asked(void **state)
{
	(void)state;
	prints("abc", 3, 3, "abc", 3);
	prints("abcdef", 6, 5, "ab...", 5);
	prints("a\x1b\x1b", 3, 8, "a\\x1b...", 8);
	prints("\xc3\xa9\xc3\xa9\xc3\xa9", 6, 3, "\xc3\xa9\xc3\xa9\xc3\xa9", 3);
	prints("a\0b", 3, 0, "a\\x00b", 6);
	prints("", 0, 4, "", 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readable_text_of_any_script_stays),
		cmocka_unit_test(controls_become_escapes),
		cmocka_unit_test(marks_of_direction_and_without_width_become_escapes),
		cmocka_unit_test(bytes_that_are_no_utf8_are_told_or_replaced),
		cmocka_unit_test(quotes_and_backslashes_are_as_the_style_says),
		cmocka_unit_test(a_column_is_never_wider_than_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
