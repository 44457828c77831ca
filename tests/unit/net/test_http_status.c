/* The table from error codes to HTTP statuses and their words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/scope.h"
#include "net/http_status.h"

static void
every_code_has_its_status_and_words(void **state)
{
	static const struct {
		int code, status;
		const char *words;
	} rows[] = {
		{ ERR_INVALID, 400, "bad request" },
		{ ERR_DENIED, 403, "not authorized" },
		{ ERR_NOT_FOUND, 404, "not found" },
		{ ERR_CONFLICT, 409, "conflict" },
		{ ERR_TOO_LARGE, 413, "request entity too large" },
		{ ERR_UNAVAILABLE, 503, "service unavailable" },
		{ ERR_TIMEOUT, 503, "service unavailable" },
		{ ERR_NO_MEMORY, 503, "service unavailable" },
		{ ERR_CORRUPT, 500, "internal server error" },
		{ ERR_INTERNAL, 500, "internal server error" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(http_status_of(rows[i].code), rows[i].status);
		assert_string_equal(http_status_words(rows[i].status), rows[i].words);
	}
	assert_string_equal(http_status_words(405), "method not allowed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_code_has_its_status_and_words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
