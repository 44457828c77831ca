/* Hexadecimal and random ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/random.h"
#include "base/text/hex.h"

static void
bytes_come_back_from_their_digits(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x1f, 0xab, 0xff };
	uint8_t back[4];
	char text[9];

	(void)state;
	hex_encode(bytes, 4, text);
	assert_string_equal(text, "001fabff");
	assert_int_equal(hex_decode("001FaBfF", back, 4), 0);
	assert_memory_equal(back, bytes, 4);
}

static void
anything_else_is_refused_and_writes_nothing(void **state)
{
	uint8_t to[2] = { 7, 7 };

	(void)state;
	assert_int_equal(hex_decode("", to, 2), -1);
	assert_int_equal(hex_decode("abc", to, 2), -1);
	assert_int_equal(hex_decode("abcde", to, 2), -1);
	assert_int_equal(hex_decode("abcg", to, 2), -1);
	assert_int_equal(hex_decode("0xab", to, 2), -1);
	assert_int_equal(to[0], 7);
}

static void
random_ids_have_their_length_and_differ(void **state)
{
	char a[41], b[41];

	(void)state;
	random_hex(a, 40);
	random_hex(b, 40);
	assert_int_equal(strspn(a, "0123456789abcdef"), 40);
	assert_int_equal(strlen(a), 40);
	assert_string_not_equal(a, b);
	random_hex(a, 7);
	assert_int_equal(strlen(a), 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back_from_their_digits),
		cmocka_unit_test(anything_else_is_refused_and_writes_nothing),
		cmocka_unit_test(random_ids_have_their_length_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
