/* The contract of port/identity.h, for the fake and for HTTP against auth's own routes. Each runs
 * on an auth that knows user@example.org with Admin123, and believes `identity_token` with
 * `identity_claims`. */
#ifndef TONEARM_TESTS_CONTRACT_AUTH_IDENTITY_SUITE_H
#define TONEARM_TESTS_CONTRACT_AUTH_IDENTITY_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "port/identity.h"

#define RIGHT "Basic dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw=="
#define WRONG "Basic dXNlckBleGFtcGxlLm9yZzp3cm9uZw=="

static struct identity *identity_under_test;
static char identity_token[2048];
static struct claims identity_claims;

static void
a_right_login_gives_a_token(void **state)
{
	struct identity_reply reply;

	(void)state;
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "203.0.113.9", NULL }, &reply,
					NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_GRANTED);
	assert_int_equal(reply.retry_after_s, 0);
	assert_true(strlen(reply.text) > 0);
	assert_null(strpbrk(reply.text, " \r\n"));
}

static void
a_wrong_or_missing_login_gives_the_words(void **state)
{
	struct identity_reply reply;

	(void)state;
	assert_int_equal(identity_login(identity_under_test, WRONG,
					&(struct identity_caller){ "203.0.113.9", NULL }, &reply,
					NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_UNAUTHENTICATED);
	assert_string_equal(reply.text, "invalid credentials");
	assert_int_equal(identity_login(identity_under_test, NULL, NULL, &reply, NULL), 0);
	assert_int_equal(reply.verdict, IDENTITY_UNAUTHENTICATED);
	assert_string_equal(reply.text, "missing credentials");
}

static void
a_good_token_gives_its_claims(void **state)
{
	struct identity_reply reply;
	char header[2100];

	(void)state;
	(void)snprintf(header, sizeof header, "Bearer %s", identity_token);
	assert_int_equal(identity_validate(identity_under_test, header, NULL, &reply, NULL), 0);
	assert_int_equal(reply.verdict, IDENTITY_GRANTED);
	assert_string_equal(reply.claims.username, identity_claims.username);
	assert_int_equal(reply.claims.exp, identity_claims.exp);
	assert_int_equal(reply.claims.iat, identity_claims.iat);
	assert_int_equal(reply.claims.admin, identity_claims.admin);
}

static void
a_bad_or_missing_token_gives_the_words(void **state)
{
	static const char *const missing[] = { NULL,     "",        "garbage",
					       "Bearer", "Token x", "Bearer a b" };
	struct identity_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof missing / sizeof *missing; i++) {
		assert_int_equal(
			identity_validate(identity_under_test, missing[i], NULL, &reply, NULL), 0);
		assert_int_equal(reply.verdict, IDENTITY_UNAUTHENTICATED);
		assert_string_equal(reply.text, "missing credentials");
	}
	assert_int_equal(
		identity_validate(identity_under_test, "Bearer garbage", NULL, &reply, NULL), 0);
	assert_int_equal(reply.verdict, IDENTITY_FORBIDDEN);
	assert_string_equal(reply.text, "not authorized");
	assert_int_equal(identity_validate(identity_under_test, "Bearer  x", NULL, &reply, NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_FORBIDDEN);
}

static void
an_auth_that_is_there_answers_the_ping(void **state)
{
	(void)state;
	assert_int_equal(identity_ping(identity_under_test, NULL), 0);
}

#define IDENTITY_SUITE                                                                             \
	cmocka_unit_test(a_right_login_gives_a_token),                                             \
		cmocka_unit_test(a_wrong_or_missing_login_gives_the_words),                        \
		cmocka_unit_test(a_good_token_gives_its_claims),                                   \
		cmocka_unit_test(a_bad_or_missing_token_gives_the_words),                          \
		cmocka_unit_test(an_auth_that_is_there_answers_the_ping)

#endif
