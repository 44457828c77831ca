/* What is said of a conversion that is under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "converter/pace.h"

#define START_MS 1000000

static struct job_progress
news(struct pace *p, double fraction, double made_s, int64_t after_ms)
{
	return pace_of(p, &(struct encode_progress){ fraction, made_s }, START_MS + after_ms);
}

static void
near(double got, double want)
{
	assert_true(got > want - 0.001 && got < want + 0.001);
}

/* A job of 20 s: 3 s to open a file of 1,000 s, then 5 % of it in a second. By all of the time
 * the first news would mean 3 s / 0.0001 = 30,000 s. */
static void
what_goes_before_the_first_news_is_no_pace(void **state)
{
	struct pace p = { .start_ms = START_MS };

	(void)state;
	near(news(&p, 0.0001, 0.1, 3000).remaining_s, 0);
	near(news(&p, 0.0501, 50.1, 4000).remaining_s, 0);
	near(news(&p, 0.1001, 100.1, 5000).remaining_s, 0.8999 / 0.05);
	near(news(&p, 0.5001, 500.1, 13000).remaining_s, 0.4999 / 0.05);
	near(news(&p, 1, 1000, 23000).remaining_s, 0);
}

static void
nothing_is_told_of_less_than_2_percent_or_2_seconds(void **state)
{
	struct pace slow = { .start_ms = START_MS }, fast = { .start_ms = START_MS };

	(void)state;
	near(news(&slow, 0.01, 1, 500).remaining_s, 0);
	near(news(&slow, 0.029, 3, 100500).remaining_s, 0);
	near(news(&slow, 0.031, 3, 105500).remaining_s, 0.969 / 0.021 * 105);
	near(news(&fast, 0.1, 1, 500).remaining_s, 0);
	near(news(&fast, 0.9, 9, 2499).remaining_s, 0);
	near(news(&fast, 0.9, 9, 2500).remaining_s, 0.1 / 0.8 * 2);
}

static void
speed_is_of_all_the_time(void **state)
{
	struct pace p = { .start_ms = START_MS };

	(void)state;
	near(news(&p, 0.1, 30, 0).speed, 0);
	near(news(&p, 0.1, 30, 500).speed, 60);
	near(news(&p, -1, 45, 1500).speed, 30);
	near(news(&p, -1, 45, 1500).fraction, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_before_the_first_news_is_no_pace),
		cmocka_unit_test(nothing_is_told_of_less_than_2_percent_or_2_seconds),
		cmocka_unit_test(speed_is_of_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
