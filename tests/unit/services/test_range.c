/* Ranges and entity tags of RFC 9110, as /download reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/scope.h"
#include "gateway/range.h"

static void
ranges_are_read_as_rfc_9110_says(void **state)
{
	static const struct {
		const char *header;
		int64_t size;
		struct range want;
	} rows[] = {
		{ NULL, 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=0-99", 100, { RANGE_PART, 0, 100 } },
		{ "bytes=0-0", 100, { RANGE_PART, 0, 1 } },
		{ "BYTES=10-19", 100, { RANGE_PART, 10, 10 } },
		{ "bytes=90-", 100, { RANGE_PART, 90, 10 } },
		{ "bytes=90-1000", 100, { RANGE_PART, 90, 10 } },
		{ "bytes=-10", 100, { RANGE_PART, 90, 10 } },
		{ "bytes=-1000", 100, { RANGE_PART, 0, 100 } },
		{ "bytes=100-", 100, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=99999999-", 100, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=-0", 100, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=0-", 0, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=-5", 0, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=5-4", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=-", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=a-b", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=0-1,5-6", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=0-1x", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=--5", 100, { RANGE_WHOLE, 0, 0 } },
		{ "lines=0-1", 100, { RANGE_WHOLE, 0, 0 } },
		{ "bytes=99999999999999999999-", 100, { RANGE_UNSATISFIABLE, 0, 0 } },
		{ "bytes=0-99999999999999999999", 100, { RANGE_PART, 0, 100 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range got = range_parse(rows[i].header, rows[i].size);

		assert_int_equal(got.kind, rows[i].want.kind);
		assert_int_equal(got.first, rows[i].want.first);
		assert_int_equal(got.length, rows[i].want.length);
	}
}

static void
an_entity_tag_is_found_in_a_list_and_never_by_its_beginning(void **state)
{
	(void)state;
	assert_true(etag_listed("\"abc\"", "\"abc\"", ETAG_STRONG));
	assert_true(etag_listed("\"x\", \"abc\" , \"y\"", "\"abc\"", ETAG_STRONG));
	assert_true(etag_listed("W/\"abc\"", "\"abc\"", ETAG_WEAK));
	assert_false(etag_listed("W/\"abc\"", "\"abc\"", ETAG_STRONG));
	assert_true(etag_listed("*", "\"abc\"", ETAG_WEAK));
	assert_false(etag_listed("*", "\"abc\"", ETAG_STRONG));
	assert_false(etag_listed(NULL, "\"abc\"", ETAG_WEAK));
	assert_false(etag_listed("", "\"abc\"", ETAG_WEAK));
	assert_false(etag_listed("\"abc\"d", "\"abc\"", ETAG_WEAK));
	assert_false(etag_listed("\"abcd\"", "\"abc\"", ETAG_WEAK));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read_as_rfc_9110_says),
		cmocka_unit_test(an_entity_tag_is_found_in_a_list_and_never_by_its_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
