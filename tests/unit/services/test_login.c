/* The use case behind POST /login, with a hasher that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "auth/login.h"
#include "auth/restrictions.h"
#include "base/clock.h"
#include "fake/user_fake.h"

#define RIGHT "Basic dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw=="   /* user@example.org:Admin123 */
#define WRONG "Basic dXNlckBleGFtcGxlLm9yZzp3cm9uZw=="       /* user@example.org:wrong */
#define EMPTY "Basic dXNlckBleGFtcGxlLm9yZzo="               /* user@example.org: */
#define UNKNOWN "Basic bm9ib2R5QGV4YW1wbGUub3JnOkFkbWluMTIz" /* nobody@example.org:Admin123 */

/* "current:text" and "older:text" stand for hashes. */
struct counting {
	struct password_hasher port;
	int hashes;
	struct hash_gate *gate;
};

static int
count_hash(struct password_hasher *p, const char *text, size_t len, struct password_encoded *ret,
	   struct err *e)
{
	(void)e;
	CONTAINER_OF(p, struct counting, port)->hashes++;
	(void)snprintf(ret->text, sizeof ret->text, "current:%.*s", (int)len, text);
	return 0;
}

static int
count_verify(struct password_hasher *p, const char *encoded, const char *text, size_t len,
	     struct err *e)
{
	const char *colon = strchr(encoded, ':');

	if (colon == NULL)
		return err_set(e, ERR_CORRUPT, "no hash");
	CONTAINER_OF(p, struct counting, port)->hashes++;
	if (strlen(colon + 1) != len || memcmp(colon + 1, text, len) != 0)
		return err_set(e, ERR_DENIED, "wrong password");
	return 0;
}

static int
count_burn(struct password_hasher *p, const char *text, size_t len, struct err *e)
{
	(void)text;
	(void)len;
	(void)e;
	CONTAINER_OF(p, struct counting, port)->hashes++;
	return 0;
}

static bool
count_is_current(struct password_hasher *p, const char *encoded)
{
	(void)p;
	return strncmp(encoded, "current:", 8) == 0;
}

static const struct password_hasher_ops counting_ops = { count_hash, count_verify, count_burn,
							 count_is_current, NULL };

static int
sign(struct token_service *t, const struct claims *claims, struct str *ret, struct err *e)
{
	(void)t;
	str_printf(ret, "%s|%lld|%d", claims->username, (long long)(claims->exp - claims->iat),
		   claims->admin);
	return str_error(ret, e);
}

static const struct token_service_ops token_ops = { sign, NULL, NULL };

struct world {
	struct user_store *users;
	struct token_service tokens;
	struct counting passwords;
	struct login login;
	struct login_answer answer;
	struct err e;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	w->tokens.ops = &token_ops;
	w->passwords.port.ops = &counting_ops;
	w->login = (struct login){ .tokens = &w->tokens,
				   .passwords = &w->passwords.port,
				   .clock = clock_system() };
	w->answer.token = STR_MAX(1000);
	*state = w;
	return user_fake_new(&w->users, NULL) < 0 ||
	       hash_gate_new(1, 0, 10, &w->login.gate, NULL) < 0 ||
	       login_limiter_new(&(struct login_limiter_config){ 3, 100, 60000, clock_system() },
				 &w->login.limiter, NULL) < 0 ||
	       (w->login.users = w->users) == NULL;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	str_free(&w->answer.token);
	login_limiter_free(w->login.limiter);
	hash_gate_free(w->login.gate);
	user_store_close(w->users);
	free(w);
	return 0;
}

static void
have(struct world *w, const char *password, enum password_scheme scheme)
{
	struct user user = { .email = "User@Example.org ", .scheme = scheme, .admin = true };

	assert_int_equal(str_copy(user.password, sizeof user.password, password, NULL), 0);
	assert_int_equal(user_add(w->users, &user, NULL), 0);
}

static enum login_result
attempt(struct world *w, const char *header)
{
	w->passwords.hashes = 0;
	str_clear(&w->answer.token);
	login_attempt(&w->login, header, "192.0.2.1", &w->answer, &w->e);
	return w->answer.result;
}

static void
stored(struct world *w, struct user *ret)
{
	assert_int_equal(user_find(w->users, "user@example.org", ret, NULL), 0);
}

static void
every_verdict_costs_one_hash(void **state)
{
	static const struct {
		const char *password;
		enum password_scheme scheme;
		const char *header;
		enum login_result result;
	} rows[] = {
		{ "Admin123", PASSWORD_PLAIN, RIGHT, LOGIN_GRANTED },
		{ "Admin123", PASSWORD_PLAIN, WRONG, LOGIN_INVALID },
		{ "Admin123", PASSWORD_PLAIN, UNKNOWN, LOGIN_INVALID },
		{ "Admin123", PASSWORD_PLAIN, EMPTY, LOGIN_INVALID },
		{ "current:Admin123", PASSWORD_ARGON2ID, RIGHT, LOGIN_GRANTED },
		{ "current:Admin123", PASSWORD_ARGON2ID, WRONG, LOGIN_INVALID },
		{ "unreadable", PASSWORD_ARGON2ID, RIGHT, LOGIN_INVALID },
		{ "older:Admin123", PASSWORD_ARGON2ID, WRONG, LOGIN_INVALID },
		{ "", PASSWORD_PLAIN, EMPTY, LOGIN_INVALID },
		{ "Admin1", PASSWORD_PLAIN, RIGHT, LOGIN_INVALID },
		{ "Admin1234", PASSWORD_PLAIN, RIGHT, LOGIN_INVALID },
		{ "Admin123", PASSWORD_PLAIN, "Basic Og==", LOGIN_INVALID },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		have(w, rows[i].password, rows[i].scheme);
		assert_int_equal(attempt(w, rows[i].header), rows[i].result);
		assert_int_equal(w->passwords.hashes, 1);
		assert_int_equal(user_remove(w->users, "user@example.org", NULL), 0);
		login_limiter_settle(w->login.limiter, "user@example.org", "192.0.2.1",
				     LOGIN_SUCCEEDED);
	}
}

static void
a_good_login_gets_a_token_for_the_plain_form_of_the_address(void **state)
{
	struct world *w = *state;

	have(w, "current:Admin123", PASSWORD_ARGON2ID);
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
	assert_string_equal(str_text(&w->answer.token), "user@example.org|86400|1");
}

static void
a_plain_row_is_hashed_at_its_first_login_only(void **state)
{
	struct world *w = *state;
	struct user user;

	have(w, "Admin123", PASSWORD_PLAIN);
	assert_int_equal(attempt(w, WRONG), LOGIN_INVALID);
	stored(w, &user);
	assert_int_equal(user.scheme, PASSWORD_PLAIN);
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
	stored(w, &user);
	assert_int_equal(user.scheme, PASSWORD_ARGON2ID);
	assert_string_equal(user.password, "current:Admin123");
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
	assert_int_equal(w->passwords.hashes, 1);
}

static void
a_hash_of_older_parameters_is_renewed(void **state)
{
	struct world *w = *state;
	struct user user;

	have(w, "older:Admin123", PASSWORD_ARGON2ID);
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
	stored(w, &user);
	assert_string_equal(user.password, "current:Admin123");
}

static void
a_disabled_user_looks_like_a_wrong_password(void **state)
{
	struct world *w = *state;

	have(w, "current:Admin123", PASSWORD_ARGON2ID);
	assert_int_equal(user_set_disabled(w->users, "user@example.org", true, NULL), 0);
	assert_int_equal(attempt(w, RIGHT), LOGIN_INVALID);
	assert_int_equal(w->passwords.hashes, 1);
	assert_string_equal(login_words(w->answer.result), "invalid credentials");
}

static void
unreadable_headers_cost_neither_hash_nor_query(void **state)
{
	struct world *w = *state;

	assert_int_equal(attempt(w, NULL), LOGIN_MISSING);
	assert_int_equal(attempt(w, "Basic !!!"), LOGIN_MISSING);
	assert_int_equal(attempt(w, "Bearer x"), LOGIN_MISSING);
	assert_int_equal(attempt(w, "Digest x"), LOGIN_INVALID);
	assert_int_equal(w->passwords.hashes, 0);
	assert_int_equal(user_fake_finds(w->users), 0);
}

static void
a_store_that_is_away_is_unavailable_and_nobodys_failure(void **state)
{
	struct world *w = *state;
	int i;

	have(w, "current:Admin123", PASSWORD_ARGON2ID);
	user_fake_fail(w->users, ERR_UNAVAILABLE);
	for (i = 0; i < 5; i++) {
		assert_int_equal(attempt(w, WRONG), LOGIN_AWAY);
		assert_int_equal(w->answer.retry_after_s, 1);
		assert_int_equal(w->passwords.hashes, 0);
	}
	user_fake_fail(w->users, 0);
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
	assert_int_equal(w->answer.retry_after_s, 0);
}

static void
a_full_gate_is_busy_and_nobodys_failure(void **state)
{
	struct world *w = *state;
	int i;

	have(w, "current:Admin123", PASSWORD_ARGON2ID);
	assert_int_equal(hash_gate_enter(w->login.gate, NULL), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(attempt(w, WRONG), LOGIN_BUSY);
	assert_int_equal(w->answer.retry_after_s, 1);
	hash_gate_leave(w->login.gate);
	assert_int_equal(attempt(w, RIGHT), LOGIN_GRANTED);
}

static void
failures_are_limited_and_the_right_password_must_wait_too(void **state)
{
	struct world *w = *state;
	int i;

	have(w, "current:Admin123", PASSWORD_ARGON2ID);
	for (i = 0; i < 3; i++)
		assert_int_equal(attempt(w, WRONG), LOGIN_INVALID);
	assert_int_equal(attempt(w, RIGHT), LOGIN_LIMITED);
	assert_string_equal(w->e.text, "LOGIN_FAILURES_PER_USER_AND_ADDRESS is reached");
	assert_string_equal(w->answer.user, "user@example.org");
	assert_int_equal(login_status(w->answer.result), 429);
	assert_in_range(w->answer.retry_after_s, 1, 60);
	assert_int_equal(w->passwords.hashes, 0);
	login_attempt(&w->login, RIGHT, "192.0.2.2", &w->answer, &w->e);
	assert_int_equal(w->answer.result, LOGIN_GRANTED);
}

static void *
wait_in_gate(void *arg)
{
	struct hash_gate *gate = arg;
	int r = hash_gate_enter(gate, NULL);

	if (r == 0)
		hash_gate_leave(gate);
	return r == 0 ? arg : NULL;
}

static void
the_gate_lets_one_wait_and_refuses_the_next(void **state)
{
	SCOPED(hash_gate_free_p) struct hash_gate *gate = NULL;
	int64_t running = 0, waiting = 0, deadline = now_monotonic_ms() + 5000;
	pthread_t thread;
	void *entered = NULL;

	(void)state;
	assert_int_equal(hash_gate_new(1, 1, 10000, &gate, NULL), 0);
	assert_int_equal(hash_gate_enter(gate, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_in_gate, gate), 0);
	while (waiting == 0 && now_monotonic_ms() < deadline)
		hash_gate_usage(gate, &running, &waiting);
	assert_int_equal(waiting, 1);
	assert_int_equal(hash_gate_enter(gate, NULL), ERR_UNAVAILABLE);
	hash_gate_leave(gate);
	pthread_join(thread, &entered);
	assert_non_null(entered);
	hash_gate_usage(gate, &running, &waiting);
	assert_int_equal(running + waiting, 0);
}

static void
a_turn_that_does_not_come_is_a_timeout(void **state)
{
	SCOPED(hash_gate_free_p) struct hash_gate *gate = NULL;

	(void)state;
	assert_int_equal(hash_gate_new(1, 1, 20, &gate, NULL), 0);
	assert_int_equal(hash_gate_enter(gate, NULL), 0);
	assert_int_equal(hash_gate_enter(gate, NULL), ERR_TIMEOUT);
}

static void
restrictions_refuse_disabled_users_and_older_tokens(void **state)
{
	struct world *w = *state;
	SCOPED(restrictions_free_p) struct restrictions *r = NULL;
	struct claims claims = { .username = "user@example.org" };
	int64_t now = now_unix_ms() / 1000;

	have(w, "x", PASSWORD_PLAIN);
	claims.iat = now - 10;
	assert_int_equal(restrictions_new(clock_system(), &r, NULL), 0);
	assert_false(restrictions_loaded(r));
	assert_int_equal(restrictions_check(r, &claims, NULL), 0);
	assert_int_equal(user_revoke_tokens(w->users, "user@example.org", now - 5, NULL), 0);
	assert_int_equal(restrictions_refresh(r, w->users, NULL), 0);
	assert_true(restrictions_loaded(r));
	assert_int_equal(restrictions_check(r, &claims, NULL), ERR_DENIED);
	claims.iat = now - 5;
	assert_int_equal(restrictions_check(r, &claims, NULL), 0);
	assert_int_equal(user_set_disabled(w->users, "user@example.org", true, NULL), 0);
	assert_int_equal(restrictions_refresh(r, w->users, NULL), 0);
	assert_int_equal(restrictions_check(r, &claims, NULL), ERR_DENIED);
	user_fake_fail(w->users, ERR_UNAVAILABLE);
	assert_int_equal(restrictions_refresh(r, w->users, NULL), ERR_UNAVAILABLE);
	assert_int_equal(restrictions_check(r, &claims, NULL), ERR_DENIED);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(every_verdict_costs_one_hash),
		T(a_good_login_gets_a_token_for_the_plain_form_of_the_address),
		T(a_plain_row_is_hashed_at_its_first_login_only),
		T(a_hash_of_older_parameters_is_renewed),
		T(a_disabled_user_looks_like_a_wrong_password),
		T(unreadable_headers_cost_neither_hash_nor_query),
		T(a_store_that_is_away_is_unavailable_and_nobodys_failure),
		T(a_full_gate_is_busy_and_nobodys_failure),
		T(failures_are_limited_and_the_right_password_must_wait_too),
		T(the_gate_lets_one_wait_and_refuses_the_next),
		T(a_turn_that_does_not_come_is_a_timeout),
		T(restrictions_refuse_disabled_users_and_older_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
