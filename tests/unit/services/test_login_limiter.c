/* Failed logins are counted by pair and by address, never by user alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "auth/login_limiter.h"
#include "auth/sip_hash.h"

static int64_t now_ms;

static int64_t
test_now(const struct clock *c)
{
	(void)c;
	return now_ms;
}

static const struct clock test_clock = { test_now, test_now };

static struct login_limiter *
limiter(int64_t per_pair, int64_t per_address)
{
	struct login_limiter *l = NULL;

	now_ms = 1000;
	assert_int_equal(login_limiter_new(&(struct login_limiter_config){ per_pair, per_address,
									   900000, &test_clock },
					   &l, NULL),
			 0);
	return l;
}

static void
fail_times(struct login_limiter *l, const char *user, const char *address, int times)
{
	while (times-- > 0)
		login_limiter_settle(l, user, address, LOGIN_FAILED);
}

static void
a_pair_is_limited_until_its_window_ends(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 100);

	(void)state;
	fail_times(l, "a", "10.0.0.1", 2);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 0);
	fail_times(l, "a", "10.0.0.1", 1);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 900);
	now_ms += 899001;
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 1);
	now_ms += 999;
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 0);
}

static void
the_same_user_from_elsewhere_is_not_limited(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 100);

	(void)state;
	fail_times(l, "a", "10.0.0.1", 50);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.2", NULL), 0);
	assert_int_equal(login_limiter_admit(l, "b", "10.0.0.1", NULL), 0);
}

static void
an_address_is_limited_over_all_users(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 10);
	char user[16];
	int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		(void)snprintf(user, sizeof user, "user%d", i);
		assert_int_equal(login_limiter_admit(l, user, "10.0.0.1", NULL), 0);
		fail_times(l, user, "10.0.0.1", 1);
	}
	assert_int_equal(login_limiter_admit(l, "fresh", "10.0.0.1", NULL), 900);
	assert_int_equal(login_limiter_admit(l, "fresh", "10.0.0.2", NULL), 0);
}

static void
the_limit_that_ends_later_is_named(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 5);
	enum login_limit which = LOGIN_LIMIT_ADDRESS;

	(void)state;
	fail_times(l, "a", "10.0.0.1", 3);
	assert_true(login_limiter_admit(l, "a", "10.0.0.1", &which) > 0);
	assert_int_equal(which, LOGIN_LIMIT_PAIR);
	fail_times(l, "b", "10.0.0.1", 2);
	assert_true(login_limiter_admit(l, "b", "10.0.0.1", &which) > 0);
	assert_int_equal(which, LOGIN_LIMIT_ADDRESS);
}

static void
success_forgets_the_pair_but_not_the_address(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 4);

	(void)state;
	fail_times(l, "a", "10.0.0.1", 2);
	login_limiter_settle(l, "a", "10.0.0.1", LOGIN_SUCCEEDED);
	fail_times(l, "a", "10.0.0.1", 2);
	assert_int_equal(login_limiter_admit(l, "b", "10.0.0.1", NULL), 900);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 900);
}

static void
what_was_not_decided_does_not_count(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(1, 1);

	(void)state;
	login_limiter_settle(l, "a", "10.0.0.1", LOGIN_UNDECIDED);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 0);
	fail_times(l, "a", NULL, 5);
	assert_int_equal(login_limiter_admit(l, "a", NULL, NULL), 0);
}

static void
ipv6_counts_by_its_network_and_mapped_ipv4_as_itself(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(1, 100);

	(void)state;
	fail_times(l, "a", "2001:db8:1:2::1", 1);
	assert_true(login_limiter_admit(l, "a", "2001:db8:1:2:ffff::9", NULL) > 0);
	assert_int_equal(login_limiter_admit(l, "a", "2001:db8:1:3::1", NULL), 0);
	fail_times(l, "a", "::ffff:10.0.0.1", 1);
	assert_true(login_limiter_admit(l, "a", "10.0.0.1", NULL) > 0);
	assert_int_equal(login_limiter_admit(l, "a", "::ffff:10.0.0.2", NULL), 0);
}

static void
a_flood_of_addresses_does_not_free_a_guilty_one(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(3, 100);
	char address[32];
	int i;

	(void)state;
	fail_times(l, "a", "10.0.0.1", 3);
	for (i = 0; i < 300000; i++) {
		(void)snprintf(address, sizeof address, "11.%d.%d.%d", i >> 16, i >> 8 & 255,
			       i & 255);
		fail_times(l, "x", address, 1);
	}
	assert_true(login_limiter_admit(l, "a", "10.0.0.1", NULL) > 0);
}

static void
no_limit_means_none(void **state)
{
	SCOPED(login_limiter_free_p) struct login_limiter *l = limiter(0, 0);

	(void)state;
	fail_times(l, "a", "10.0.0.1", 1000);
	assert_int_equal(login_limiter_admit(l, "a", "10.0.0.1", NULL), 0);
}

static void
the_hash_gives_its_authors_vectors(void **state)
{
	const struct sip_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	unsigned char input[15];
	int i;

	(void)state;
	for (i = 0; i < 15; i++)
		input[i] = (unsigned char)i;
	assert_true(sip_hash(&key, input, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(sip_hash(&key, input, 15) == UINT64_C(0xa129ca6149be45e5));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_is_limited_until_its_window_ends),
		cmocka_unit_test(the_same_user_from_elsewhere_is_not_limited),
		cmocka_unit_test(an_address_is_limited_over_all_users),
		cmocka_unit_test(the_limit_that_ends_later_is_named),
		cmocka_unit_test(success_forgets_the_pair_but_not_the_address),
		cmocka_unit_test(what_was_not_decided_does_not_count),
		cmocka_unit_test(ipv6_counts_by_its_network_and_mapped_ipv4_as_itself),
		cmocka_unit_test(a_flood_of_addresses_does_not_free_a_guilty_one),
		cmocka_unit_test(no_limit_means_none),
		cmocka_unit_test(the_hash_gives_its_authors_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
