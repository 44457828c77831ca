/* Growing strings, UTF-8, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"

static void
appending_grows_and_keeps_a_nul(void **state)
{
	SCOPED(str_free) struct str s = STR_MAX(100000);
	int i;

	(void)state;
	assert_string_equal(str_text(&s), "");
	for (i = 0; i < 1000; i++)
		str_printf(&s, "%d,", i % 10);
	str_append(&s, "a\0b", 3);
	str_puts(&s, "c");
	assert_int_equal(s.len, 2004);
	assert_memory_equal(s.data + 1998, "9,a\0bc", 7);
	assert_int_equal(str_error(&s, NULL), 0);
}

static void
the_ceiling_is_exact_and_a_failure_is_remembered(void **state)
{
	SCOPED(str_free) struct str s = STR_MAX(5);
	struct err e = ERR_NONE;

	(void)state;
	str_puts(&s, "12345");
	assert_int_equal(str_error(&s, &e), 0);
	str_puts(&s, "6");
	assert_int_equal(str_error(&s, &e), ERR_TOO_LARGE);
	str_puts(&s, "");
	assert_string_equal(str_text(&s), "12345");
	str_clear(&s);
	str_printf(&s, "%s", "abcdef");
	assert_int_equal(str_error(&s, &e), ERR_TOO_LARGE);
	assert_string_equal(str_text(&s), "");
	str_clear(&s);
	str_puts(&s, "new");
	assert_string_equal(str_text(&s), "new");
	assert_int_equal(str_error(&s, &e), 0);
}

static void
freeing_keeps_the_ceiling(void **state)
{
	struct str s = STR_MAX(7);

	(void)state;
	str_puts(&s, "abc");
	str_free(&s);
	assert_null(s.data);
	assert_int_equal(s.len, 0);
	assert_int_equal(s.max, 7);
	str_free(&s);
}

static void
copy_refuses_what_does_not_fit(void **state)
{
	char to[4] = "old";

	(void)state;
	assert_int_equal(str_copy(to, sizeof to, "four", NULL), ERR_TOO_LARGE);
	assert_string_equal(to, "old");
	assert_int_equal(str_copy(to, sizeof to, "new", NULL), 0);
	assert_string_equal(to, "new");
	assert_int_equal(str_copy(to, 0, "", NULL), ERR_TOO_LARGE);
}

static void
utf8_follows_rfc_3629(void **state)
{
	static const char *const good[] = { "",
					    "plain",
					    "zo\xc3\xab",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x8e\xb5",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80",         "\xc0\xaf",         "\xc3",
					   "\xe0\x80\x80", "\xed\xa0\x80",     "\xf0\x80\x80\x80",
					   "\xff",         "\xf4\x90\x80\x80", "a\xe2\x82",
					   "\xe2\x28\xa1", "\xf5\x80\x80\x80", "\xf0\x9f\x8e" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("a\0b", 3));
}

static void
numbers_are_read_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {
		"",    " 1",  "1 ", "+1", "-",   "1x",
		"0x1", "--1", "11", "-6", "1.0", "99999999999999999999"
	};
	long long n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse_int(bad[i], -5, 10, &n, NULL), ERR_INVALID);
	assert_int_equal(n, 77);
	assert_int_equal(parse_int("-5", -5, 10, &n, NULL), 0);
	assert_int_equal(n, -5);
	assert_int_equal(parse_int("9223372036854775807", 0, LLONG_MAX, &n, NULL), 0);
	assert_true(n == LLONG_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appending_grows_and_keeps_a_nul),
		cmocka_unit_test(the_ceiling_is_exact_and_a_failure_is_remembered),
		cmocka_unit_test(freeing_keeps_the_ceiling),
		cmocka_unit_test(copy_refuses_what_does_not_fit),
		cmocka_unit_test(utf8_follows_rfc_3629),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
