#include "contract/auth/identity_suite.h"

#include "adapter/identity_http.h"
#include "fake/user_fake.h"
#include "support/auth_world.h"

static struct auth_world world;

/* An auth that makes no sense: what it answers is ordered by each test. */
static struct {
	struct http_server *server;
	int status;
	const char *body, *content_type;
	char request_id[65]; /* of the last request */
} odd;

static void
odd_begin(struct http_request *req, void *arg)
{
	(void)arg;
	(void)snprintf(odd.request_id, sizeof odd.request_id, "%s", http_request_id(req));
	http_reply(req, &(struct http_reply){ .status = odd.status,
					      .content_type = odd.content_type,
					      .body = odd.body });
}

static const struct http_route odd_routes[] = {
	{ HTTP_POST, "/login", odd_begin, NULL, NULL },
	{ HTTP_POST, "/validate", odd_begin, NULL, NULL },
};

static int
setup(void **state)
{
	struct http_server_config http = http_server_defaults();

	(void)state;
	identity_claims = (struct claims){ .username = "zo\xc3\xab@example.org", .admin = true };
	identity_claims.iat = now_unix_ms() / 1000;
	identity_claims.exp = identity_claims.iat + CLAIMS_LIFETIME_S;
	http.address = "127.0.0.1";
	http.port = 0;
	http.routes = odd_routes;
	http.route_count = ARRAY_LEN(odd_routes);
	if (auth_world_start(&world, 3) < 0 || http_server_start(&http, &odd.server, NULL) < 0)
		return -1;
	auth_world_token(&world, &identity_claims, identity_token);
	/* MsgQ's form: no scheme */
	return identity_http_new(world.url + sizeof "http://" - 1, 4, 3000, &identity_under_test,
				 NULL);
}

static int
teardown(void **state)
{
	(void)state;
	identity_close(identity_under_test);
	http_server_close(odd.server);
	auth_world_stop(&world);
	return 0;
}

static void
the_client_is_forwarded_and_a_limit_comes_back_with_its_wait(void **state)
{
	struct identity_reply reply;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(identity_login(identity_under_test, WRONG,
						&(struct identity_caller){ "2001:db8::1", NULL },
						&reply, NULL),
				 0);
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "2001:db8::1", NULL }, &reply,
					NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_THROTTLED);
	assert_in_range(reply.retry_after_s, 1, 900);
	assert_string_equal(reply.text, "too many failed logins");
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "2001:db8:1::1", NULL }, &reply,
					NULL),
			 0);
	assert_int_equal(reply.verdict, IDENTITY_GRANTED);
}

static void
an_auth_without_its_store_is_an_answer(void **state)
{
	struct identity_reply reply;

	(void)state;
	user_fake_fail(world.users, ERR_UNAVAILABLE);
	assert_int_equal(identity_login(identity_under_test, RIGHT,
					&(struct identity_caller){ "192.0.2.1", NULL }, &reply,
					NULL),
			 0);
	user_fake_fail(world.users, 0);
	assert_int_equal(reply.verdict, IDENTITY_UNDECIDED);
	assert_string_equal(reply.text, "service unavailable");
	assert_int_equal(reply.retry_after_s, 1);
}

static void
the_request_id_goes_along_unless_it_could_break_a_line(void **state)
{
	static const char *const odd_ids[] = { "a\r\nX-Forwarded-For: 203.0.113.1",
					       "0123456789012345678901234567890123456789"
					       "0123456789012345678901234567890123456789" };
	SCOPED(identity_close_p) struct identity *strange = NULL;
	struct identity_caller caller = { .request_id = "seen.by-both_1" };
	struct identity_reply reply;
	char url[64];

	(void)state;
	odd.status = 401;
	odd.body = "no";
	(void)snprintf(url, sizeof url, "127.0.0.1:%d", http_server_port(odd.server));
	assert_int_equal(identity_http_new(url, 4, 3000, &strange, NULL), 0);
	assert_int_equal(identity_login(strange, RIGHT, &caller, &reply, NULL), 0);
	assert_string_equal(odd.request_id, caller.request_id);
	caller.request_id = "another";
	assert_int_equal(identity_validate(strange, "Bearer x", &caller, &reply, NULL), 0);
	assert_string_equal(odd.request_id, caller.request_id);
	for (size_t i = 0; i < ARRAY_LEN(odd_ids); i++) {
		caller.request_id = odd_ids[i];
		assert_int_equal(identity_validate(strange, "Bearer x", &caller, &reply, NULL), 0);
		assert_int_equal(strlen(odd.request_id), 16); /* auth's own */
	}
}

static void
an_auth_that_is_not_there_is_unavailable(void **state)
{
	SCOPED(identity_close_p) struct identity *nobody = NULL;
	struct identity_reply reply = { .retry_after_s = 42 };
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(identity_http_new("127.0.0.1:1", 4, 3000, &nobody, NULL), 0);
	assert_int_equal(identity_login(nobody, RIGHT, NULL, &reply, &e), ERR_UNAVAILABLE);
	assert_int_equal(identity_validate(nobody, "Bearer x", NULL, &reply, &e), ERR_UNAVAILABLE);
	assert_int_equal(identity_ping(nobody, &e), ERR_UNAVAILABLE);
	assert_int_equal(reply.retry_after_s, 42);
}

static void
answers_that_make_no_sense_are_unavailable(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{ 500, "internal server error" },
		{ 404, "not found" },
		{ 400, "bad request" },
		{ 200, "" },
		{ 200, "two words" },
		{ 200, "<html>page</html>" },
		{ 401, "<html>page</html>" },
		{ 302, "elsewhere" },
		{ 204, "" },
	};
	static const char *const claims[] = {
		"",
		"{}",
		"[]",
		"not json",
		"{\"username\":\"a\"}",
		"{\"username\":7,\"exp\":1,\"iat\":1,\"admin\":true}"
	};
	SCOPED(identity_close_p) struct identity *strange = NULL;
	struct identity_reply reply = { .retry_after_s = 42 };
	char url[64];
	size_t i;

	(void)state;
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", http_server_port(odd.server));
	assert_int_equal(identity_http_new(url, 4, 3000, &strange, NULL), 0);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		odd.status = rows[i].status;
		odd.body = rows[i].body;
		assert_int_equal(identity_login(strange, RIGHT, NULL, &reply, NULL),
				 ERR_UNAVAILABLE);
	}
	odd.status = 200;
	for (i = 0; i < ARRAY_LEN(claims); i++) {
		odd.body = claims[i];
		assert_int_equal(identity_validate(strange, "Bearer x", NULL, &reply, NULL),
				 ERR_UNAVAILABLE);
	}
	assert_int_equal(reply.retry_after_s, 42);
}

static void
claims_as_msgq_writes_them_are_read(void **state)
{
	SCOPED(identity_close_p) struct identity *msgq = NULL;
	struct identity_reply reply;
	char url[64];

	(void)state;
	(void)snprintf(url, sizeof url, "127.0.0.1:%d", http_server_port(odd.server));
	assert_int_equal(identity_http_new(url, 4, 3000, &msgq, NULL), 0);
	odd.status = 200;
	odd.content_type = "application/json";
	odd.body = "{\"admin\":true,\"exp\":2,\"iat\":1,\"username\":\"zo\\u00eb\\u20ac\"}\n";
	assert_int_equal(identity_validate(msgq, "Bearer x", NULL, &reply, NULL), 0);
	assert_string_equal(reply.claims.username, "zo\xc3\xab\xe2\x82\xac");
	assert_true(reply.claims.admin);
	odd.status = 401;
	odd.content_type = NULL;
	odd.body = "invalide credentials";
	assert_int_equal(identity_login(msgq, RIGHT, NULL, &reply, NULL), 0);
	assert_int_equal(reply.verdict, IDENTITY_UNAUTHENTICATED);
	assert_string_equal(reply.text, "invalide credentials");
}

static void
an_empty_address_is_invalid(void **state)
{
	struct identity *untouched = NULL;

	(void)state;
	assert_int_equal(identity_http_new("", 4, 3000, &untouched, NULL), ERR_INVALID);
	assert_null(untouched);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		IDENTITY_SUITE,
		cmocka_unit_test(the_client_is_forwarded_and_a_limit_comes_back_with_its_wait),
		cmocka_unit_test(an_auth_without_its_store_is_an_answer),
		cmocka_unit_test(the_request_id_goes_along_unless_it_could_break_a_line),
		cmocka_unit_test(an_auth_that_is_not_there_is_unavailable),
		cmocka_unit_test(answers_that_make_no_sense_are_unavailable),
		cmocka_unit_test(claims_as_msgq_writes_them_are_read),
		cmocka_unit_test(an_empty_address_is_invalid),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
