/* Help that fits a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/wrap.h"

#define TEN "123456789 "
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define COMMAS "10.0.0.0/8,10.0.0.0/8,10.0.0.0/8,10.0.0.0/8,10.0.0.0/8,"

static char *
wrapped(size_t used, size_t indent, const char *text)
{
	char *got = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&got, &len);

	assert_non_null(to);
	wrap_text(to, used, indent, text);
	assert_int_equal(fclose(to), 0);
	return got;
}

static void
lines_end_between_words(void **state)
{
	static const struct {
		size_t used, indent;
		const char *text, *want;
	} rows[] = {
		{ 0, 2, "", "\n" },
		{ 0, 2, "one", "one\n" },
		{ 0, 2, NINETY "1234567890", NINETY "1234567890\n" },
		{ 0, 2, NINETY "12345678901", NINETY "\b\n  12345678901\n" },
		{ 10, 2, NINETY "1", NINETY "\b\n  1\n" },
		{ 0, 0, "one\ntwo", "one\ntwo\n" },
		{ 0, 4, "one\ntwo", "one\n    two\n" },
		{ 98, 2, "one two", "\n  one two\n" },
		/* a word that no line holds ends behind a comma, or not at all */
		{ 0, 2, COMMAS COMMAS "x",
		  COMMAS "10.0.0.0/8,10.0.0.0/8,10.0.0.0/8,10.0.0.0/8,\n  "
			 "10.0.0.0/8,x\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_FREE char *got = wrapped(rows[i].used, rows[i].indent, rows[i].text);
		SCOPED_FREE char *want = strdup(rows[i].want);
		char *back =
			strstr(want, " \b"); /* the blank at which a line ends is not written */

		if (back)
			memmove(back, back + 2, strlen(back + 2) + 1);
		assert_string_equal(got, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines_end_between_words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
