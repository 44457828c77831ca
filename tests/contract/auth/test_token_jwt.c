/* The contract of port/token.h on libjwt: rows 34-50 and 130-134, with tokens made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "adapter/token_jwt.h"

#define NOW 1800000000
#define SECRET "0123456789abcdef0123456789abcdef"
#define OLD_SECRET "an older secret that still passes"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD                                                                                       \
	"\"username\":\"user@example.org\",\"exp\":1800086400,\"iat\":1800000000,\"admin\":true"

static int64_t
test_now(const struct clock *c)
{
	(void)c;
	return INT64_C(1000) * NOW;
}

static const struct clock test_clock = { test_now, test_now };
static struct token_service *tokens;

static struct secret
secret_of(const char *text)
{
	struct secret s = { .len = strlen(text) };

	memcpy(s.bytes, text, s.len + 1);
	return s;
}

static int
setup(void **state)
{
	struct secret sign = secret_of(SECRET), accept = secret_of(OLD_SECRET ",third");

	(void)state;
	return sodium_init() < 0 ? -1 : token_jwt_new(&sign, &accept, &test_clock, &tokens, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	token_service_close(tokens);
	return 0;
}

static void
append(char *to, const void *bytes, size_t len)
{
	size_t used = strlen(to);

	sodium_bin2base64(to + used, 16384 - used, bytes, len,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
append_dot(char *to)
{
	size_t used = strlen(to);

	to[used] = '.';
	to[used + 1] = '\0';
}

enum mac { MAC_256, MAC_512, MAC_NONE };

static const char *
token_of(const char *header, const char *payload, const char *key, enum mac mac)
{
	static char text[16384];
	unsigned char code[64] = { 0 };
	crypto_auth_hmacsha256_state small;
	crypto_auth_hmacsha512_state large;
	const unsigned char *k = (const unsigned char *)key;
	const unsigned char *t = (const unsigned char *)text;

	text[0] = '\0';
	append(text, header, strlen(header));
	append_dot(text);
	append(text, payload, strlen(payload));
	crypto_auth_hmacsha256_init(&small, k, strlen(key));
	crypto_auth_hmacsha256_update(&small, t, strlen(text));
	crypto_auth_hmacsha512_init(&large, k, strlen(key));
	crypto_auth_hmacsha512_update(&large, t, strlen(text));
	if (mac == MAC_256)
		crypto_auth_hmacsha256_final(&small, code);
	else
		crypto_auth_hmacsha512_final(&large, code);
	append_dot(text);
	if (mac != MAC_NONE)
		append(text, code, mac == MAC_256 ? 32 : 64);
	return text;
}

static const char *
with_payload(const char *payload)
{
	return token_of(HEADER, payload, SECRET, MAC_256);
}

static void
denied(const char *token)
{
	struct claims untouched = { .exp = 42 };
	struct err e = ERR_NONE;

	assert_int_equal(token_verify(tokens, token, &untouched, &e), ERR_DENIED);
	assert_int_equal(untouched.exp, 42);
	assert_true(e.text[0] != '\0');
	assert_true(strlen(token) < 20 || strstr(e.text, token) == NULL);
}

static void
what_is_signed_is_verified_as_it_was(void **state)
{
	struct claims claims = { "zo\xc3\xab\xe2\x82\xac@example.org", NOW + 86400, NOW, true },
		      got;
	SCOPED(str_free) struct str token = STR_MAX(8000);

	(void)state;
	assert_int_equal(token_sign(tokens, &claims, &token, NULL), 0);
	assert_int_equal(token_verify(tokens, token.data, &got, NULL), 0);
	assert_string_equal(got.username, claims.username);
	assert_int_equal(got.exp, claims.exp);
	assert_int_equal(got.iat, claims.iat);
	assert_true(got.admin);
}

static void
a_token_made_by_msgq_is_good(void **state)
{
	struct claims got;

	(void)state;
	assert_int_equal(token_verify(tokens, with_payload("{" GOOD "}"), &got, NULL), 0);
	assert_string_equal(got.username, "user@example.org");
	assert_true(got.admin);
}

static void
an_older_secret_verifies_but_another_does_not(void **state)
{
	struct claims got;

	(void)state;
	assert_int_equal(token_verify(tokens, token_of(HEADER, "{" GOOD "}", OLD_SECRET, MAC_256),
				      &got, NULL),
			 0);
	assert_int_equal(
		token_verify(tokens, token_of(HEADER, "{" GOOD "}", "third", MAC_256), &got, NULL),
		0);
	denied(token_of(HEADER, "{" GOOD "}", "another secret", MAC_256));
	denied(token_of(HEADER, "{" GOOD "}", OLD_SECRET ",third", MAC_256));
	denied(token_of(HEADER, "{" GOOD "}", "", MAC_256));
}

static void
only_hs256_is_believed(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS512\"}",
		"{\"alg\":\"HS384\"}",
		"{\"alg\":\"RS256\"}",
		"{\"alg\":\"ES256\"}",
		"{\"alg\":\"\"}",
		"{\"alg\":256}",
		"{\"alg\":null}",
		"{}",
		"[]",
		"null",
		"\"HS256\"",
		"not json",
		"{\"alg\":\"HS256\",\"crit\":[\"x\"]}",
		"{\"alg\":\"HS256\",\"crit\":null}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(headers); i++) {
		denied(token_of(headers[i], "{" GOOD "}", SECRET, MAC_256));
		denied(token_of(headers[i], "{" GOOD "}", SECRET, MAC_512));
		denied(token_of(headers[i], "{" GOOD "}", SECRET, MAC_NONE));
	}
	denied(token_of(HEADER, "{" GOOD "}", SECRET, MAC_512));
	denied(token_of(HEADER, "{" GOOD "}", SECRET, MAC_NONE));
}

static void
claims_that_are_not_to_be_believed_are_denied(void **state)
{
	static const char *const payloads[] = {
		"[]",
		"[\"username\"]",
		"not json",
		"null",
		"{}",
		"{\"username\":\"a\",\"exp\":1799999999,\"iat\":1799000000,"
		"\"admin\":true}", /* expired
				    */
		"{\"username\":\"a\",\"exp\":1800000000,\"iat\":1799000000,"
		"\"admin\":true}", /* now
				    */
		"{\"username\":\"a\",\"exp\":\"1800086400\",\"iat\":1800000000,"
		"\"admin\":true}",
		"{\"username\":\"a\",\"exp\":null,\"iat\":1800000000,\"admin\":"
		"true}",
		"{\"username\":\"a\",\"exp\":99999999999999999999999,\"iat\":"
		"1800000000,\"admin\":"
		"true}",
		"{\"username\":\"a\",\"iat\":1800000000,\"admin\":true}", /* no exp
									   */
		"{\"username\":\"a\",\"exp\":1800086400,\"iat\":1800000061,"
		"\"admin\":true}",
		"{\"username\":\"a\",\"exp\":1800086400,\"iat\":\"x\",\"admin\":"
		"true}",
		"{\"exp\":1800086400,\"iat\":1800000000,\"admin\":true}", /* no
									     username
									   */
		"{\"username\":\"\",\"exp\":1800086400,\"iat\":1800000000,"
		"\"admin\":true}",
		"{\"username\":7,\"exp\":1800086400,\"iat\":1800000000,\"admin\":"
		"true}",
		"{\"username\":null,\"exp\":1800086400,\"iat\":1800000000,"
		"\"admin\":true}",
		"{" GOOD ",\"nbf\":1800003600}",
		"{" GOOD ",\"nbf\":\"soon\"}",
		"{" GOOD ",\"aud\":\"elsewhere\"}",
		"{" GOOD,
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(payloads); i++)
		denied(with_payload(payloads[i]));
}

static void
edges_that_are_still_good_pass(void **state)
{
	static const char *const payloads[] = {
		"{\"username\":\"a\",\"exp\":1800000001,\"iat\":1799000000,\"admin\":true}",
		"{\"username\":\"a\",\"exp\":1800086400,\"iat\":1800000060,\"admin\":true}",
		"{" GOOD ",\"nbf\":1800000000}",
		"{" GOOD ",\"more\":{\"x\":[1,2]}}",
	};
	struct claims got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(payloads); i++) {
		assert_int_equal(token_verify(tokens, with_payload(payloads[i]), &got, NULL), 0);
		assert_true(got.admin);
	}
}

static void
admin_is_json_true_and_nothing_else(void **state)
{
	static const char *const values[] = { ",\"admin\":false", ",\"admin\":0",
					      ",\"admin\":null",  ",\"admin\":\"yes\"",
					      ",\"admin\":1",     "" };
	char payload[256];
	struct claims got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(values); i++) {
		(void)snprintf(payload, sizeof payload,
			       "{\"username\":\"a\",\"exp\":1800086400,\"iat\":1800000000%s}",
			       values[i]);
		assert_int_equal(token_verify(tokens, with_payload(payload), &got, NULL), 0);
		assert_false(got.admin);
	}
}

static void
texts_that_are_no_token_are_denied(void **state)
{
	static const char *const texts[] = { "",      "garbage", ".",    "..",  "...",
					     "a.b.c", "a.b",     "a..c", "a b", "a.b.c.d" };
	static char huge[9000];
	char cut[1024];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++)
		denied(texts[i]);
	memset(huge, 'a', sizeof huge - 1);
	huge[100] = huge[200] = '.';
	denied(huge);
	(void)snprintf(cut, sizeof cut, "%s", with_payload("{" GOOD "}"));
	for (i = strlen(cut); i-- > 0;) {
		cut[i] = '\0';
		denied(cut);
	}
}

static void
a_changed_byte_anywhere_is_noticed(void **state)
{
	char token[1024];
	size_t i, len;

	(void)state;
	(void)snprintf(token, sizeof token, "%s", with_payload("{" GOOD "}"));
	len = strlen(token);
	/* The last digit holds two bits that no byte needs. */
	for (i = 0; i + 1 < len; i++) {
		char kept = token[i];

		if (kept == '.')
			continue;
		token[i] = kept == 'A' ? 'B' : 'A';
		denied(token);
		token[i] = kept;
	}
}

static void
an_empty_secret_and_too_many_are_invalid(void **state)
{
	struct secret empty = secret_of(""), sign = secret_of(SECRET);
	struct secret many = secret_of("1,2,3,4,5,6,7,8,9");
	struct token_service *untouched = NULL;

	(void)state;
	assert_int_equal(token_jwt_new(&empty, &empty, &test_clock, &untouched, NULL), ERR_INVALID);
	assert_int_equal(token_jwt_new(&sign, &many, &test_clock, &untouched, NULL), ERR_INVALID);
	assert_null(untouched);
}

/* libjwt parses before it verifies, and its parser recurses: 2,000 levels overran the small stack
 * of a thread. */
static void *
deny_deep_tokens(void *arg)
{
	char deep[6000], token[16384];

	for (size_t part = 0; part < 2; part++) {
		memset(deep, '[', sizeof deep);
		token[0] = '\0';
		append(token, part == 0 ? "{}" : deep, part == 0 ? 2 : 2000);
		memcpy(token + strlen(token), ".", 2);
		append(token, part == 0 ? deep : "{}", part == 0 ? 2000 : 2);
		memcpy(token + strlen(token), ".AAAA", 6);
		denied(token);
	}
	return arg;
}

static void
a_token_that_nests_deeply_is_denied_on_a_small_stack(void **state)
{
	pthread_attr_t small;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_attr_init(&small), 0);
	assert_int_equal(pthread_attr_setstacksize(&small, 128 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &small, deny_deep_tokens, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(pthread_attr_destroy(&small), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_verified_as_it_was),
		cmocka_unit_test(a_token_made_by_msgq_is_good),
		cmocka_unit_test(an_older_secret_verifies_but_another_does_not),
		cmocka_unit_test(only_hs256_is_believed),
		cmocka_unit_test(claims_that_are_not_to_be_believed_are_denied),
		cmocka_unit_test(edges_that_are_still_good_pass),
		cmocka_unit_test(admin_is_json_true_and_nothing_else),
		cmocka_unit_test(texts_that_are_no_token_are_denied),
		cmocka_unit_test(a_changed_byte_anywhere_is_noticed),
		cmocka_unit_test(an_empty_secret_and_too_many_are_invalid),
		cmocka_unit_test(a_token_that_nests_deeply_is_denied_on_a_small_stack),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
