/* Errors: codes, words, prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void
set_stores_code_and_words(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(err_set(&e, ERR_NOT_FOUND, "no %s", "blob"), ERR_NOT_FOUND);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "no blob");
	assert_int_equal(err_set(NULL, ERR_DENIED, "x"), ERR_DENIED);
}

static void
prefix_puts_context_in_front(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	(void)err_set(&e, ERR_TIMEOUT, "timed out");
	(void)err_prefix(&e, ERR_TIMEOUT, "read %d", 7);
	assert_int_equal(err_prefix(&e, ERR_UNAVAILABLE, "convert"), ERR_UNAVAILABLE);
	assert_string_equal(e.text, "convert: read 7: timed out");
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_int_equal(err_prefix(NULL, ERR_TIMEOUT, "x"), ERR_TIMEOUT);
}

static void
words_may_quote_what_they_replace(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	(void)err_set(&e, ERR_INVALID, "inner");
	(void)err_set(&e, ERR_CORRUPT, "outer of %s", e.text);
	assert_string_equal(e.text, "outer of inner");
}

static void
long_words_are_cut_and_end_with_a_nul(void **state)
{
	struct err e = ERR_NONE;
	char text[600];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)err_set(&e, ERR_INVALID, "%s", text);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	(void)err_prefix(&e, ERR_INVALID, "front");
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	assert_memory_equal(e.text, "front: aaa", 10);
}

static void
errno_words_stand_behind(void **state)
{
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(err_errno(&e, ERR_UNAVAILABLE, ECONNREFUSED, "connect"), ERR_UNAVAILABLE);
	assert_string_equal(e.text, "connect: Connection refused");
}

static void
every_code_has_a_name_and_three_are_transient(void **state)
{
	int code, transient = 0;

	(void)state;
	for (code = ERR_OK; code >= ERR_INTERNAL; code--) {
		assert_string_not_equal(err_name(code), "unknown");
		transient += err_is_transient(code);
	}
	assert_int_equal(transient, 3);
	assert_string_equal(err_name(ERR_NO_MEMORY), "no_memory");
	assert_string_equal(err_name(1), "unknown");
	assert_string_equal(err_name(-11), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_stores_code_and_words),
		cmocka_unit_test(prefix_puts_context_in_front),
		cmocka_unit_test(words_may_quote_what_they_replace),
		cmocka_unit_test(long_words_are_cut_and_end_with_a_nul),
		cmocka_unit_test(errno_words_stand_behind),
		cmocka_unit_test(every_code_has_a_name_and_three_are_transient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
