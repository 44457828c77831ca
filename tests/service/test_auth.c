/* auth over HTTP: rows 118 to 136 of the contract, kept or mended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fake/user_fake.h"
#include "net/http_client.h"
#include "support/auth_world.h"

#define HTML "text/html; charset=utf-8"

static struct auth_world world;
static struct http_client *client;
static struct http_client_response answer;

static int
setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	answer = (struct http_client_response){ .body = STR_MAX(65536) };
	return auth_world_start(&world, 3) < 0 || http_client_new(4, &client, NULL) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	str_free(&answer.body);
	http_client_free(client);
	auth_world_stop(&world);
	return 0;
}

static void
ask_from(const char *method, const char *path, const char *authorization, const char *from)
{
	char url[128], header[2200], forwarded[80];
	const char *headers[3] = { NULL };
	size_t n = 0;
	struct err e = ERR_NONE;

	(void)snprintf(url, sizeof url, "%s%s", world.url, path);
	(void)snprintf(header, sizeof header, "Authorization: %s",
		       authorization ? authorization : "");
	(void)snprintf(forwarded, sizeof forwarded, "X-Forwarded-For: %s", from ? from : "");
	if (authorization)
		headers[n++] = header;
	if (from)
		headers[n++] = forwarded;
	str_clear(&answer.body);
	if (http_client_send(
		    client,
		    &(struct http_client_request){
			    .method = method, .url = url, .headers = headers, .timeout_ms = 10000 },
		    &answer, &e) < 0)
		fail_msg("%s", e.text);
}

static void
expect(int status, const char *type, const char *body)
{
	assert_int_equal(answer.status, status);
	assert_string_equal(answer.content_type, type);
	assert_string_equal(str_text(&answer.body), body);
}

static void
login(const char *authorization)
{
	ask_from("POST", "/login", authorization, NULL);
}

static void
validate(const char *authorization)
{
	ask_from("POST", "/validate", authorization, NULL);
}

static struct claims
good_claims(void)
{
	struct claims claims = { .username = "user@example.org", .admin = true };

	claims.iat = now_unix_ms() / 1000;
	claims.exp = claims.iat + CLAIMS_LIFETIME_S;
	return claims;
}

static void
validate_claims(const struct claims *claims)
{
	char token[2048], header[2100];

	auth_world_token(&world, claims, token);
	(void)snprintf(header, sizeof header, "Bearer %s", token);
	validate(header);
}

static void
a_right_login_gets_a_token_that_validates(void **state)
{
	char header[2048];

	(void)state;
	login(AUTH_WORLD_RIGHT);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.content_type, HTML);
	assert_null(strpbrk(answer.body.data, "\r\n "));
	(void)snprintf(header, sizeof header, "Bearer %s", answer.body.data);
	validate(header);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.content_type, "application/json");
	assert_non_null(strstr(answer.body.data, "\"username\":\"user@example.org\"}\n"));
}

static void
a_login_that_is_not_right_gets_msgqs_words(void **state)
{
	static const struct {
		const char *authorization, *words;
	} rows[] = {
		{ NULL, "missing credentials" },
		{ AUTH_WORLD_WRONG, "invalid credentials" },
		{ AUTH_WORLD_UNKNOWN, "invalid credentials" },
		{ "Basic !!!", "missing credentials" },
		{ "Digest username=\"user@example.org\"", "invalid credentials" },
		{ "Basic 4oKsOng=", "invalid credentials" }, /* the euro sign as a user */
		{ "Basic Og==", "invalid credentials" },
		{ "Basic", "missing credentials" },
		{ "Bearer x", "missing credentials" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		login(rows[i].authorization);
		expect(401, HTML, rows[i].words);
	}
}

static void
validate_answers_the_claims_sorted_with_one_newline(void **state)
{
	struct claims claims = good_claims();
	char wanted[256];

	(void)state;
	validate_claims(&claims);
	(void)snprintf(
		wanted, sizeof wanted,
		"{\"admin\":true,\"exp\":%lld,\"iat\":%lld,\"username\":\"user@example.org\"}\n",
		(long long)claims.exp, (long long)claims.iat);
	expect(200, "application/json", wanted);
}

static void
validate_passes_who_is_not_admin_and_escapes_beyond_ascii(void **state)
{
	struct claims claims = good_claims();
	char wanted[256];

	(void)state;
	claims.admin = false;
	(void)snprintf(claims.username, sizeof claims.username, "zo\xc3\xab\xe2\x82\xac");
	validate_claims(&claims);
	(void)snprintf(
		wanted, sizeof wanted,
		"{\"admin\":false,\"exp\":%lld,\"iat\":%lld,\"username\":\"zo\\u00eb\\u20ac\"}\n",
		(long long)claims.exp, (long long)claims.iat);
	assert_int_equal(answer.status, 200);
	/* The case of hex digits is free. */
	assert_int_equal(strcasecmp(answer.body.data, wanted), 0);
}

static void
validate_refuses_what_is_no_bearer_and_what_is_no_good_token(void **state)
{
	static const char *const missing[] = { NULL,      "garbage",    "Bearer",
					       "Token x", "Bearer x y", "Basic eDp5" };
	static const char *const denied[] = { "Bearer garbage", "Bearer  x", "Bearer a.b.c",
					      "bearer x" };
	struct claims claims = good_claims();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(missing); i++) {
		validate(missing[i]);
		expect(401, HTML, "missing credentials");
	}
	for (i = 0; i < ARRAY_LEN(denied); i++) {
		validate(denied[i]);
		expect(403, HTML, "not authorized");
	}
	claims.exp = claims.iat - 1;
	validate_claims(&claims);
	expect(403, HTML, "not authorized");
}

static void
other_methods_and_paths_get_one_plain_line(void **state)
{
	(void)state;
	ask_from("GET", "/login", NULL, NULL);
	expect(405, HTML, "method not allowed");
	ask_from("GET", "/validate", NULL, NULL);
	expect(405, HTML, "method not allowed");
	ask_from("GET", "/", NULL, NULL);
	expect(404, HTML, "not found");
	ask_from("POST", "/login/", NULL, NULL);
	expect(404, HTML, "not found");
	ask_from("POST", "//login", AUTH_WORLD_RIGHT, NULL);
	assert_int_equal(answer.status, 200);
}

static void
failures_are_limited_by_the_forwarded_client(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ask_from("POST", "/login", AUTH_WORLD_WRONG, "203.0.113.9");
		expect(401, HTML, "invalid credentials");
	}
	ask_from("POST", "/login", AUTH_WORLD_RIGHT, "203.0.113.9");
	expect(429, HTML, "too many failed logins");
	assert_in_range(answer.retry_after_s, 1, 900);
	ask_from("POST", "/login", AUTH_WORLD_RIGHT, "203.0.113.10");
	assert_int_equal(answer.status, 200);
}

static void
a_proxy_that_names_no_client_is_not_counted_as_one(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 6; i++)
		login(AUTH_WORLD_WRONG);
	expect(401, HTML, "invalid credentials");
	login(AUTH_WORLD_RIGHT);
	assert_int_equal(answer.status, 200);
}

static void
without_the_store_login_is_unavailable_and_validate_works(void **state)
{
	struct claims claims = good_claims();

	(void)state;
	user_fake_fail(world.users, ERR_TIMEOUT);
	login(AUTH_WORLD_RIGHT);
	expect(503, HTML, "service unavailable");
	assert_int_equal(answer.retry_after_s, 1);
	validate_claims(&claims);
	assert_int_equal(answer.status, 200);
	user_fake_fail(world.users, 0);
	login(AUTH_WORLD_RIGHT);
	assert_int_equal(answer.status, 200);
}

static void
a_disabled_users_token_ends_with_the_next_refresh(void **state)
{
	struct claims claims = good_claims();

	(void)state;
	assert_int_equal(user_set_disabled(world.users, "user@example.org", true, NULL), 0);
	assert_int_equal(restrictions_refresh(world.restrictions, world.users, NULL), 0);
	validate_claims(&claims);
	expect(403, HTML, "not authorized");
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(a_right_login_gets_a_token_that_validates),
		T(a_login_that_is_not_right_gets_msgqs_words),
		T(validate_answers_the_claims_sorted_with_one_newline),
		T(validate_passes_who_is_not_admin_and_escapes_beyond_ascii),
		T(validate_refuses_what_is_no_bearer_and_what_is_no_good_token),
		T(other_methods_and_paths_get_one_plain_line),
		T(failures_are_limited_by_the_forwarded_client),
		T(a_proxy_that_names_no_client_is_not_counted_as_one),
		T(without_the_store_login_is_unavailable_and_validate_works),
		T(a_disabled_users_token_ends_with_the_next_refresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
