/* The strict reader of Authorization headers: rows 5-24 and 30-52 of the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/scope.h"
#include "wire/authorization.h"

static void
headers_that_hold_no_readable_credentials_are_missing(void **state)
{
	static const char *const rows[] = {
		NULL,
		"",
		"Basic",
		"Basic ",
		"Basic !!!",
		"Basic YQ",           /* no colon */
		"Basic YTpi YTpi",    /* two words */
		"Basic YTpiY",        /* one digit too many */
		"Basic YTp=i",        /* padding in the middle */
		"Basic ====",         /* nothing but padding */
		"Basic YTpi\xc3\xa4", /* not of the alphabet */
		"Basic YTr_-w==",     /* the other alphabet */
		"Basic YTr/Og==",     /* a : ff, which is no UTF-8 */
		"Basic 7TqgOg==",     /* cut UTF-8 in the user */
		"Bearer abc",
		"Basically YTpi",
		"Token YTpi",
		"Digest",
	};
	struct credentials c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(credentials_read(rows[i], &c), CREDENTIALS_MISSING);
}

static void
digest_is_refused_rather_than_missing(void **state)
{
	struct credentials c;

	(void)state;
	assert_int_equal(credentials_read("Digest username=\"a\", realm=\"b\"", &c),
			 CREDENTIALS_REFUSED);
	assert_int_equal(credentials_read("DIGEST x", &c), CREDENTIALS_REFUSED);
}

static void
credentials_are_read_as_they_were_sent(void **state)
{
	static const struct {
		const char *header, *user, *password;
		size_t password_len;
	} rows[] = {
		{ "Basic dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw==", "user@example.org", "Admin123", 8 },
		{ "basic dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw", "user@example.org", "Admin123", 8 },
		{ "BASIC  dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw== ", "user@example.org", "Admin123",
		  8 },
		{ "Basic IFVTRVJAZXhhbXBsZS5PUkcgOkFkbWluMTIz", "user@example.org", "Admin123", 8 },
		{ "Basic Og==", "", "", 0 },
		{ "Basic YTo=", "a", "", 0 },
		{ "Basic OmI=", "", "b", 1 },
		{ "Basic YTpiOmM=", "a", "b:c", 3 },
		{ "Basic YTogYiA=", "a", " b ", 3 },
		{ "Basic em/Dq+KCrDrDpMKj", "zo\xc3\xab\xe2\x82\xac", "\xc3\xa4\xc2\xa3", 4 },
		{ "Basic YTpiAGM=", "a", "b\0c", 3 },
		{ "Basic YQBiOmM=", "", "c", 1 }, /* a NUL in the user: nobody */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct credentials c = { .user = "old" };

		assert_int_equal(credentials_read(rows[i].header, &c), CREDENTIALS_GIVEN);
		assert_string_equal(c.user, rows[i].user);
		assert_int_equal(c.password_len, rows[i].password_len);
		assert_memory_equal(c.password, rows[i].password, rows[i].password_len);
		credentials_clear(&c);
	}
}

static void
a_user_name_longer_than_any_row_is_nobody(void **state)
{
	static char header[12064] = "Basic ";
	struct credentials c = { .user = "old" };
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++)
		memcpy(header + 6 + 4 * i, "YWFh", 4); /* aaa */
	memcpy(header + 6 + 12000, "Omg=", 5);         /* :h */
	assert_int_equal(credentials_read(header, &c), CREDENTIALS_GIVEN);
	assert_string_equal(c.user, "");
	assert_int_equal(c.password_len, 1);
	credentials_clear(&c);
}

static void
a_bearer_is_the_scheme_one_space_and_one_token(void **state)
{
	static const struct {
		const char *header;
		enum bearer_kind kind;
	} rows[] = {
		{ NULL, BEARER_MISSING },          { "", BEARER_MISSING },
		{ "garbage", BEARER_MISSING },     { "Bearer", BEARER_MISSING },
		{ "Bearer ", BEARER_MISSING },     { "Token abc", BEARER_MISSING },
		{ "Bearer a b", BEARER_MISSING },  { "Bearer a ", BEARER_MISSING },
		{ "Bearer a\tb", BEARER_MISSING }, { "Bearer\ta", BEARER_MISSING },
		{ "Bearera", BEARER_MISSING },     { "Bearer  abc", BEARER_EMPTY },
		{ "Bearer abc", BEARER_GIVEN },    { "bEARER abc", BEARER_GIVEN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const char *token = NULL;

		assert_int_equal(bearer_read(rows[i].header, &token), rows[i].kind);
		if (rows[i].kind == BEARER_GIVEN)
			assert_string_equal(token, "abc");
		else
			assert_null(token);
	}
}

static void
an_address_is_trimmed_and_lowered_once(void **state)
{
	char got[USERNAME_MAX + 1] = "untouched", big[USERNAME_MAX + 2];

	(void)state;
	memset(big, 'a', sizeof big);
	big[USERNAME_MAX + 1] = '\0';
	assert_int_equal(address_normalise(big, got, NULL), ERR_TOO_LARGE);
	assert_string_equal(got, "untouched");
	assert_int_equal(address_normalise("\t A@\xc3\x8b.Org \r\n", got, NULL), 0);
	assert_string_equal(got, "a@\xc3\x8b.org");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_that_hold_no_readable_credentials_are_missing),
		cmocka_unit_test(digest_is_refused_rather_than_missing),
		cmocka_unit_test(credentials_are_read_as_they_were_sent),
		cmocka_unit_test(a_user_name_longer_than_any_row_is_nobody),
		cmocka_unit_test(a_bearer_is_the_scheme_one_space_and_one_token),
		cmocka_unit_test(an_address_is_trimmed_and_lowered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
