#include "flow/reaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/scope.h"

static void
a_result_of_zero_is_done_on_any_attempt(void **state)
{
	(void)state;
	assert_int_equal(reaction_to(0, 1, 0), REACTION_DONE);
	assert_int_equal(reaction_to(0, REACTION_ATTEMPTS_MAX + 3, 1), REACTION_DONE);
}

static void
what_the_video_itself_is_to_blame_for_fails_at_once(void **state)
{
	static const int codes[] = { ERR_INVALID, ERR_DENIED, ERR_NOT_FOUND, ERR_TOO_LARGE,
				     ERR_CORRUPT };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(reaction_to(codes[i], 1, 0), REACTION_FAIL);
}

static void
what_may_pass_is_retried_until_the_last_attempt(void **state)
{
	static const int codes[] = { ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NO_MEMORY, ERR_INTERNAL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		for (int attempt = 1; attempt < REACTION_ATTEMPTS_MAX; attempt++)
			assert_int_equal(reaction_to(codes[i], attempt, 0), REACTION_RETRY);
		assert_int_equal(reaction_to(codes[i], REACTION_ATTEMPTS_MAX, 0), REACTION_FAIL);
		assert_int_equal(reaction_to(codes[i], REACTION_ATTEMPTS_MAX + 1, 0),
				 REACTION_FAIL);
	}
}

static void
a_lost_server_of_ours_is_never_an_attempt(void **state)
{
	(void)state;
	for (int code = ERR_INTERNAL; code < 0; code++)
		assert_int_equal(reaction_to(code, REACTION_ATTEMPTS_MAX, 1), REACTION_HAND_BACK);
}

static void
delays_grow_and_then_stay(void **state)
{
	(void)state;
	assert_int_equal(reaction_delay_ms(1), 5000);
	assert_int_equal(reaction_delay_ms(2), 30000);
	assert_int_equal(reaction_delay_ms(3), 120000);
	assert_int_equal(reaction_delay_ms(4), 600000);
	assert_int_equal(reaction_delay_ms(5), 600000);
	assert_int_equal(reaction_delay_ms(0), 5000);
	assert_int_equal(reaction_delay_ms(-1), 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_of_zero_is_done_on_any_attempt),
		cmocka_unit_test(what_the_video_itself_is_to_blame_for_fails_at_once),
		cmocka_unit_test(what_may_pass_is_retried_until_the_last_attempt),
		cmocka_unit_test(a_lost_server_of_ours_is_never_an_attempt),
		cmocka_unit_test(delays_grow_and_then_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
