/* Every call that auth makes of a port fails once, one after the other: nobody who is wrong gets
 * in, nobody who is right is turned away for good or counted as wrong, and no place at the hash
 * gate is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "fake/faulty/faulty.h"
#include "net/http_client.h"
#include "support/auth_world.h"

#define GATE_PLACES 2 /* of auth_world */
#define CALLS_MAX 40

static const struct fault_kind {
	const char *name;
	int code, calls;
	enum fault_moment moment;
} kinds[] = {
	{ "away", ERR_UNAVAILABLE, 1, FAULT_BEFORE },
	{ "answer lost", ERR_TIMEOUT, 1, FAULT_AFTER },
	{ "no memory", ERR_NO_MEMORY, 1, FAULT_BEFORE },
	{ "away for two calls", ERR_UNAVAILABLE, 2, FAULT_BEFORE },
};

static struct auth_world world;
static struct faults faults;
static struct http_client *client;
static struct http_client_response answer;

static void
open_world(void)
{
	memset(&world, 0, sizeof world);
	memset(&faults, 0, sizeof faults);
	answer = (struct http_client_response){ .body = STR_MAX(65536) };
	assert_int_equal(auth_world_start(&world, 1), 0);
	world.users = faulty_user_store(world.users, &faults);
	world.tokens = faulty_token_service(world.tokens, &faults);
	world.passwords = faulty_password_hasher(world.passwords, &faults);
	world.service.login.users = world.users;
	world.service.login.tokens = world.tokens;
	world.service.login.passwords = world.passwords;
	assert_int_equal(http_client_new(1, &client, NULL), 0);
}

static void
close_world(void)
{
	str_free(&answer.body);
	http_client_free(client);
	auth_world_stop(&world);
}

static int
ask(const char *path, const char *authorization)
{
	char url[128], header[2200];
	const char *headers[] = { header, "X-Forwarded-For: 203.0.113.9", NULL };
	struct http_client_request request = {
		.method = "POST", .url = url, .headers = headers, .timeout_ms = 10000
	};

	(void)snprintf(url, sizeof url, "%s%s", world.url, path);
	(void)snprintf(header, sizeof header, "Authorization: %s", authorization);
	str_clear(&answer.body);
	assert_int_equal(http_client_send(client, &request, &answer, NULL), 0);
	return answer.status;
}

static bool
is_away(void)
{
	return answer.status == 503 && answer.retry_after_s > 0;
}

/* The token is in the answer. A failure that is ours is no failure of the user: one of those would
 * lock this user out of this world. */
static void
log_in(void)
{
	for (int i = 0; i < 4 && ask("/login", AUTH_WORLD_RIGHT) != 200; i++)
		assert_true(is_away());
	assert_int_equal(answer.status, 200);
}

static void
right_flow(void)
{
	char header[2200];

	log_in();
	(void)snprintf(header, sizeof header, "Bearer %s", str_text(&answer.body));
	for (int i = 0; i < 4 && ask("/validate", header) != 200; i++)
		assert_true(is_away());
	assert_int_equal(answer.status, 200);
	log_in(); /* with whatever the row holds now */
}

static void
wrong_flow(void)
{
	int refused = 0;

	for (int i = 0; i < 4 && refused == 0; i++) {
		refused = ask("/login", AUTH_WORLD_WRONG) == 401;
		assert_true(refused || is_away());
	}
	assert_int_equal(refused, 1);
	assert_int_equal(ask("/login", AUTH_WORLD_WRONG), 429);
}

static void
unknown_flow(void)
{
	int refused = 0;

	for (int i = 0; i < 4 && refused == 0; i++) {
		refused = ask("/login", AUTH_WORLD_UNKNOWN) == 401;
		assert_true(refused || is_away());
	}
	assert_int_equal(refused, 1);
	log_in();
}

/* What is known of a revoked token stays known while the store fails. */
static void
revoked_flow(void)
{
	struct claims claims = { .username = "user@example.org" };
	char token[2048], header[2200];
	int refused = 0;

	claims.iat = now_unix_ms() / 1000;
	claims.exp = claims.iat + CLAIMS_LIFETIME_S;
	for (int i = 0; i < 4; i++)
		(void)user_set_disabled(world.users, claims.username, true, NULL);
	for (int i = 0; i < 4 && !restrictions_loaded(world.restrictions); i++)
		(void)restrictions_refresh(world.restrictions, world.users, NULL);
	(void)restrictions_refresh(world.restrictions, world.users, NULL);
	do
		auth_world_token(&world, &claims, token);
	while (token[0] == '\0');
	(void)snprintf(header, sizeof header, "Bearer %s", token);
	for (int i = 0; i < 4; i++) {
		refused += ask("/validate", header) == 403;
		assert_true(answer.status == 403 || is_away());
	}
	assert_in_range(refused, 2, 4);
	assert_int_equal(restrictions_check(world.restrictions, &claims, NULL), ERR_DENIED);
}

static void
check_gate(void)
{
	struct err e = ERR_NONE;

	for (int i = 0; i < GATE_PLACES; i++)
		assert_int_equal(hash_gate_enter(world.gate, &e), 0);
	for (int i = 0; i < GATE_PLACES; i++)
		hash_gate_leave(world.gate);
}

static void
sweep(void (*flow)(void), int calls_min)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int n = 0, calls;

		do {
			assert_in_range(++n, 1, CALLS_MAX);
			open_world();
			faults.first = n;
			faults.last = n + kinds[i].calls - 1;
			faults.code = kinds[i].code;
			faults.moment = kinds[i].moment;
			print_message("\r%s, call %d ", kinds[i].name, n);
			flow();
			check_gate();
			calls = atomic_load(&faults.calls);
			close_world();
		} while (calls >= n);
		print_message("of %d\n", calls);
		assert_in_range(calls, calls_min, CALLS_MAX);
	}
}

static void
whichever_call_fails_the_right_password_gets_in(void **state)
{
	(void)state;
	sweep(right_flow, 7);
}

static void
whichever_call_fails_a_wrong_password_is_refused_and_counted_once(void **state)
{
	(void)state;
	sweep(wrong_flow, 2);
}

static void
whichever_call_fails_nobody_is_no_user_and_locks_nobody_out(void **state)
{
	(void)state;
	sweep(unknown_flow, 5);
}

static void
whichever_call_fails_a_disabled_users_token_stays_refused(void **state)
{
	(void)state;
	sweep(revoked_flow, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whichever_call_fails_the_right_password_gets_in),
		cmocka_unit_test(whichever_call_fails_a_wrong_password_is_refused_and_counted_once),
		cmocka_unit_test(whichever_call_fails_nobody_is_no_user_and_locks_nobody_out),
		cmocka_unit_test(whichever_call_fails_a_disabled_users_token_stays_refused),
	};

	log_init("auth", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, STDOUT_FILENO);
	return cmocka_run_group_tests_name("auth sweep", tests, NULL, NULL);
}
