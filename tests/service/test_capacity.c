/* The memory rule: workers' limits and daemon within 80 % of the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "converter/capacity.h"

#define MIB (INT64_C(1) << 20)

static struct capacity
fitted(int jobs, int64_t worker_mib, int64_t memory_mib)
{
	struct capacity got = { -1, -1 };

	assert_int_equal(capacity_fit(&(struct capacity){ jobs, worker_mib * MIB },
				      memory_mib * MIB, &got, NULL),
			 0);
	return got;
}

static void
expect_fit(struct capacity got, int jobs, int64_t worker_mib)
{
	assert_int_equal(got.jobs, jobs);
	assert_int_equal(got.worker_memory / MIB, worker_mib);
}

static void
what_fits_is_left_as_it_was_asked(void **state)
{
	(void)state;
	expect_fit(fitted(2, 512, 16384), 2, 512);
	expect_fit(fitted(2, 512, 1361), 2, 512); /* (2 * 512 + 64) / 0.8 = 1360 */
	expect_fit(fitted(1, 100, 8192), 1, 100);
}

static void
else_there_are_fewer_jobs(void **state)
{
	(void)state;
	expect_fit(fitted(2, 512, 1359), 1, 512);
	expect_fit(fitted(256, 640, 4096), 5, 640);
}

static void
the_limit_of_a_single_one_shrinks(void **state)
{
	(void)state;
	expect_fit(fitted(4, 640, 512), 1, 345);
	expect_fit(fitted(1, 640, 401), 1, 256);
}

static void
too_little_for_one_is_refused_with_figures(void **state)
{
	struct capacity got = { -1, -1 };
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(capacity_fit(&(struct capacity){ 2, 640 * MIB }, 399 * MIB, &got, &e),
			 ERR_INVALID);
	assert_int_equal(got.jobs, -1);
	assert_string_equal(e.text, "399 MiB of memory are too little: one conversion takes 256 "
				    "MiB, the converter 64 MiB, and that may be 80 % of it");
	assert_int_equal(capacity_fit(&(struct capacity){ 1, 1 }, 0, &got, NULL), ERR_INVALID);
}

static void
workers_without_a_limit_are_not_reckoned(void **state)
{
	(void)state;
	expect_fit(fitted(7, 0, 64), 7, 0);
}

static void
a_quarter_of_the_cores_and_at_least_two(void **state)
{
	(void)state;
	assert_int_equal(capacity_default_jobs(1), 2);
	assert_int_equal(capacity_default_jobs(11), 2);
	assert_int_equal(capacity_default_jobs(12), 3);
	assert_int_equal(capacity_default_jobs(64), 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_left_as_it_was_asked),
		cmocka_unit_test(else_there_are_fewer_jobs),
		cmocka_unit_test(the_limit_of_a_single_one_shrinks),
		cmocka_unit_test(too_little_for_one_is_refused_with_figures),
		cmocka_unit_test(workers_without_a_limit_are_not_reckoned),
		cmocka_unit_test(a_quarter_of_the_cores_and_at_least_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
