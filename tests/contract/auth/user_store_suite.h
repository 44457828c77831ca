/* The contract of port/user_store.h, for the fake and for MySQL. The store under test may hold
 * other users: every test uses addresses of its own. */
#ifndef TONEARM_TESTS_CONTRACT_AUTH_USER_STORE_SUITE_H
#define TONEARM_TESTS_CONTRACT_AUTH_USER_STORE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "base/text/str.h"
#include "port/user_store.h"

static struct user_store *store_under_test;

static struct user
new_user(const char *tail)
{
	struct user user = { .scheme = PASSWORD_PLAIN, .admin = true };
	char digits[13];

	random_hex(digits, 12);
	assert_int_equal(str_copy(user.email, sizeof user.email, digits, NULL), 0);
	assert_int_equal(str_copy(user.email + 12, sizeof user.email - 12, tail, NULL), 0);
	assert_int_equal(str_copy(user.password, sizeof user.password, "Admin123", NULL), 0);
	return user;
}

static struct user
added(const char *tail)
{
	struct user user = new_user(tail), found;
	struct err e = ERR_NONE;

	assert_int_equal(user_add(store_under_test, &user, &e), 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, &e), 0);
	return found;
}

static void
an_added_user_is_found_as_it_was_given(void **state)
{
	struct user user = new_user("@example.org"), found;

	(void)state;
	user.admin = false;
	user.disabled = true;
	user.tokens_valid_after_s = 1700000000;
	user.scheme = PASSWORD_ARGON2ID;
	assert_int_equal(user_add(store_under_test, &user, NULL), 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_true(found.id > 0);
	assert_string_equal(found.email, user.email);
	assert_string_equal(found.password, "Admin123");
	assert_int_equal(found.scheme, PASSWORD_ARGON2ID);
	assert_false(found.admin);
	assert_true(found.disabled);
	assert_int_equal(found.tokens_valid_after_s, 1700000000);
}

static void
an_unknown_user_is_not_found_and_the_result_stays(void **state)
{
	struct user untouched = { .id = 42 };
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(user_find(store_under_test, "nobody@example.org", &untouched, &e),
			 ERR_NOT_FOUND);
	assert_int_equal(untouched.id, 42);
	assert_int_equal(user_find(store_under_test, "' OR 1=1 -- ", &untouched, &e),
			 ERR_NOT_FOUND);
	assert_int_equal(user_find(store_under_test, "", &untouched, &e), ERR_NOT_FOUND);
	assert_int_equal(untouched.id, 42);
}

static void
a_row_in_upper_case_with_blanks_is_found_in_its_plain_form(void **state)
{
	struct user user = new_user("@Example.ORG  "), found;
	char plain[USERNAME_MAX + 1];

	(void)state;
	assert_int_equal(user_add(store_under_test, &user, NULL), 0);
	assert_int_equal(str_copy(plain, sizeof plain, user.email, NULL), 0);
	assert_int_equal(str_copy(plain + 12, sizeof plain - 12, "@example.org", NULL), 0);
	assert_int_equal(user_find(store_under_test, plain, &found, NULL), 0);
	assert_string_equal(found.email, plain);
}

static void
letters_beyond_ascii_are_told_apart(void **state)
{
	struct user user = added("zo\xc3\xab\xe2\x82\xac@example.org"), found;
	char other[USERNAME_MAX + 1];

	(void)state;
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_int_equal(found.id, user.id);
	assert_int_equal(str_copy(other, sizeof other, user.email, NULL), 0);
	assert_int_equal(
		str_copy(other + 12, sizeof other - 12, "zoe\xe2\x82\xac@example.org", NULL), 0);
	assert_int_equal(user_find(store_under_test, other, &found, NULL), ERR_NOT_FOUND);
}

static void
an_address_is_added_once(void **state)
{
	struct user user = added("@example.org");

	(void)state;
	assert_int_equal(user_add(store_under_test, &user, NULL), ERR_CONFLICT);
	user.email[0] = (char)(user.email[0] >= 'a' ? user.email[0] - 'a' + 'A' : user.email[0]);
	assert_int_equal(user_add(store_under_test, &user, NULL), ERR_CONFLICT);
}

static void
a_password_is_swapped_only_while_the_old_one_stands(void **state)
{
	struct user user = added("@example.org"), found;

	(void)state;
	assert_int_equal(user_set_password(store_under_test, user.id, "x", PASSWORD_ARGON2ID,
					   "admin123", NULL),
			 ERR_CONFLICT);
	assert_int_equal(user_set_password(store_under_test, user.id, "x", PASSWORD_ARGON2ID,
					   "Admin123 ", NULL),
			 ERR_CONFLICT);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_string_equal(found.password, "Admin123");
	assert_int_equal(user_set_password(store_under_test, user.id, "$hash$", PASSWORD_ARGON2ID,
					   "Admin123", NULL),
			 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_string_equal(found.password, "$hash$");
	assert_int_equal(found.scheme, PASSWORD_ARGON2ID);
}

static void
a_password_is_set_whatever_was_there(void **state)
{
	struct user user = added("@example.org"), found;

	(void)state;
	assert_int_equal(
		user_set_password(store_under_test, user.id, "new", PASSWORD_PLAIN, NULL, NULL), 0);
	/* The same again is no failure. */
	assert_int_equal(
		user_set_password(store_under_test, user.id, "new", PASSWORD_PLAIN, NULL, NULL), 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_string_equal(found.password, "new");
	assert_int_equal(user_set_password(store_under_test, INT64_C(1) << 40, "x", PASSWORD_PLAIN,
					   NULL, NULL),
			 ERR_NOT_FOUND);
}

struct walk {
	int64_t wanted, last;
	int seen, visited;
	bool ordered;
	int stop_after, code;
};

static int
look(const struct user *user, void *arg, struct err *e)
{
	struct walk *w = arg;

	w->seen += user->id == w->wanted;
	w->ordered = w->ordered && user->id > w->last;
	w->last = user->id;
	w->visited++;
	if (w->stop_after && w->visited == w->stop_after)
		return err_set(e, w->code, "enough");
	return 0;
}

static struct walk
walk_for(int64_t id, bool restricted)
{
	struct walk w = { .wanted = id, .ordered = true };
	int r = restricted ? user_each_restricted(store_under_test, look, &w, NULL)
			   : user_each(store_under_test, look, &w, NULL);

	assert_int_equal(r, 0);
	assert_true(w.ordered);
	return w;
}

static void
every_user_is_visited_once_in_order_over_many_pages(void **state)
{
	struct user first = added("@example.org"), last = first;
	struct walk w;
	int i;

	(void)state;
	for (i = 0; i < 260; i++)
		last = added("@example.org");
	assert_int_equal(walk_for(first.id, false).seen, 1);
	w = walk_for(last.id, false);
	assert_int_equal(w.seen, 1);
	assert_true(w.visited >= 261);
}

static void
a_visit_that_refuses_ends_the_walk_with_its_code(void **state)
{
	struct walk w = { .ordered = true, .stop_after = 2, .code = ERR_CONFLICT };
	struct err e = ERR_NONE;

	(void)state;
	added("@example.org");
	added("@example.org");
	assert_int_equal(user_each(store_under_test, look, &w, &e), ERR_CONFLICT);
	assert_int_equal(w.visited, 2);
	assert_string_equal(e.text, "enough");
}

static int
change_while_walking(const struct user *user, void *arg, struct err *e)
{
	const struct user *wanted = arg;

	if (user->id != wanted->id)
		return 0;
	return user_set_password(store_under_test, user->id, "walked", PASSWORD_PLAIN,
				 user->password, e);
}

static void
a_visit_may_use_the_store(void **state)
{
	struct user user = added("@example.org"), found;

	(void)state;
	assert_int_equal(user_each(store_under_test, change_while_walking, &user, NULL), 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), 0);
	assert_string_equal(found.password, "walked");
}

static void
disabled_and_revoked_users_are_the_restricted_ones(void **state)
{
	struct user disabled = added("@example.org"), revoked = added("@example.org");
	struct user free_one = added("@example.org"), found;

	(void)state;
	assert_int_equal(user_set_disabled(store_under_test, disabled.email, true, NULL), 0);
	assert_int_equal(user_revoke_tokens(store_under_test, revoked.email, 1700000000, NULL), 0);
	assert_int_equal(walk_for(disabled.id, true).seen, 1);
	assert_int_equal(walk_for(revoked.id, true).seen, 1);
	assert_int_equal(walk_for(free_one.id, true).seen, 0);
	assert_int_equal(user_set_disabled(store_under_test, disabled.email, false, NULL), 0);
	assert_int_equal(walk_for(disabled.id, true).seen, 0);
	assert_int_equal(user_find(store_under_test, revoked.email, &found, NULL), 0);
	assert_int_equal(found.tokens_valid_after_s, 1700000000);
}

static void
changes_of_nobody_are_not_found(void **state)
{
	const char *nobody = "nobody@example.org";

	(void)state;
	assert_int_equal(user_set_disabled(store_under_test, nobody, true, NULL), ERR_NOT_FOUND);
	assert_int_equal(user_revoke_tokens(store_under_test, nobody, 1, NULL), ERR_NOT_FOUND);
	assert_int_equal(user_remove(store_under_test, nobody, NULL), ERR_NOT_FOUND);
}

static void
a_removed_user_is_gone_and_its_address_is_free(void **state)
{
	struct user user = added("@example.org"), found;

	(void)state;
	assert_int_equal(user_remove(store_under_test, user.email, NULL), 0);
	assert_int_equal(user_find(store_under_test, user.email, &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(user_add(store_under_test, &user, NULL), 0);
}

static void
a_ping_answers(void **state)
{
	(void)state;
	assert_int_equal(user_store_ping(store_under_test, NULL), 0);
}

#define USER_STORE_SUITE                                                                           \
	cmocka_unit_test(an_added_user_is_found_as_it_was_given),                                  \
		cmocka_unit_test(an_unknown_user_is_not_found_and_the_result_stays),               \
		cmocka_unit_test(a_row_in_upper_case_with_blanks_is_found_in_its_plain_form),      \
		cmocka_unit_test(letters_beyond_ascii_are_told_apart),                             \
		cmocka_unit_test(an_address_is_added_once),                                        \
		cmocka_unit_test(a_password_is_swapped_only_while_the_old_one_stands),             \
		cmocka_unit_test(a_password_is_set_whatever_was_there),                            \
		cmocka_unit_test(every_user_is_visited_once_in_order_over_many_pages),             \
		cmocka_unit_test(a_visit_that_refuses_ends_the_walk_with_its_code),                \
		cmocka_unit_test(a_visit_may_use_the_store),                                       \
		cmocka_unit_test(disabled_and_revoked_users_are_the_restricted_ones),              \
		cmocka_unit_test(changes_of_nobody_are_not_found),                                 \
		cmocka_unit_test(a_removed_user_is_gone_and_its_address_is_free),                  \
		cmocka_unit_test(a_ping_answers)

#endif
