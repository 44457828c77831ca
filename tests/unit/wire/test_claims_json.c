/* Claims and problems as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/scope.h"
#include "wire/claims_json.h"
#include "wire/problem_json.h"

static int
read_claims(const char *text, struct claims *ret, struct err *e)
{
	return claims_read(text, strlen(text), ret, e);
}

static void
claims_are_written_as_msgq_writes_them(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(1024);
	struct claims c = { .username = "zo\xc3\xab\xe2\x82\xac",
			    .exp = 1700086400,
			    .iat = 1700000000,
			    .admin = true },
		      back;

	(void)state;
	assert_int_equal(claims_write(&c, &text, NULL), 0);
	assert_string_equal(str_text(&text),
			    "{\"admin\":true,\"exp\":1700086400,\"iat\":1700000000,"
			    "\"username\":\"zo\\u00EB\\u20AC\"}");
	assert_int_equal(read_claims(str_text(&text), &back, NULL), 0);
	assert_string_equal(back.username, c.username);
	assert_int_equal(back.exp, c.exp);
	assert_int_equal(back.iat, c.iat);
	assert_true(back.admin);
}

static void
only_true_makes_an_admin(void **state)
{
	static const char *const others[] = {
		"false", "1", "\"yes\"", "null", "[true]", "\"true\""
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(others); i++) {
		SCOPED(str_free) struct str text = STR_MAX(1024);
		struct claims c = { .admin = true };

		str_printf(&text, "{\"exp\":2,\"iat\":1,\"username\":\"u\",\"admin\":%s}",
			   others[i]);
		assert_int_equal(read_claims(str_text(&text), &c, NULL), 0);
		assert_false(c.admin);
	}
}

static void
claims_without_admin_are_nobodys(void **state)
{
	struct claims c = { .admin = true };

	(void)state;
	assert_int_equal(read_claims("{\"exp\":2,\"iat\":1,\"username\":\"u\"}", &c, NULL), 0);
	assert_false(c.admin);
}

static void
claims_that_lack_a_key_or_a_type_are_invalid(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"iat\":1,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":2,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":2,\"iat\":1,\"admin\":true}",
		"{\"exp\":2.0,\"iat\":1,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":\"2\",\"iat\":1,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":2,\"iat\":1e3,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":2,\"iat\":null,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":99999999999999999999,\"iat\":1,\"username\":\"u\",\"admin\":true}",
		"{\"exp\":2,\"iat\":1,\"username\":\"\",\"admin\":true}",
		"{\"exp\":2,\"iat\":1,\"username\":[\"u\"],\"admin\":true}",
		"{\"exp\":2,\"iat\":1,\"username\":\"u\\u0000\",\"admin\":true}",
		"{\"exp\":2,\"iat\":1,\"username\":\"u\",\"admin\":true,\"exp\":9}",
		"{\"exp\":2,\"iat\":1,\"username\":\"\xc0\xaf\",\"admin\":true}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct claims c = { .exp = 77 };
		struct err e = ERR_NONE;

		assert_int_equal(read_claims(rows[i], &c, &e), ERR_INVALID);
		assert_string_not_equal(e.text, "");
		assert_int_equal(c.exp, 77);
	}
}

static void
problems_have_the_members_of_rfc_9457(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(1024);

	(void)state;
	assert_int_equal(problem_write(404, "no_job", "not found", "no \"such\" job", &text, NULL),
			 0);
	assert_string_equal(str_text(&text),
			    "{\"type\":\"about:blank\",\"status\":404,\"title\":\"not found\","
			    "\"code\":\"no_job\",\"detail\":\"no \\\"such\\\" job\"}");
	str_clear(&text);
	assert_int_equal(problem_write(503, NULL, "service unavailable", NULL, &text, NULL), 0);
	assert_string_equal(str_text(&text), "{\"type\":\"about:blank\",\"status\":503,"
					     "\"title\":\"service unavailable\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_written_as_msgq_writes_them),
		cmocka_unit_test(only_true_makes_an_admin),
		cmocka_unit_test(claims_without_admin_are_nobodys),
		cmocka_unit_test(claims_that_lack_a_key_or_a_type_are_invalid),
		cmocka_unit_test(problems_have_the_members_of_rfc_9457),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
