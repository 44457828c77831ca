/* The metrics registry and its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "daemon/metrics.h"

static void
free_metrics(struct metrics **m)
{
	metrics_free(*m);
}

static struct metrics *
make(void)
{
	struct metrics *m = NULL;

	assert_int_equal(metrics_new(&m, NULL), 0);
	return m;
}

static const char *
text_of(struct metrics *m)
{
	static char copy[1 << 20];
	SCOPED(str_free) struct str text = STR_MAX(sizeof copy - 1);

	assert_int_equal(metrics_write(m, &text, NULL), 0);
	memcpy(copy, str_text(&text), text.len + 1);
	return copy;
}

static void
counters_and_gauges_are_written(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();
	struct metric *c = metrics_counter(m, "a_total", "Of \\ a\nkind.",
					   (const char *const[]){ "x", "y", NULL });
	struct metric *g = metrics_gauge(m, "b_bytes", "B.", NULL);

	(void)state;
	assert_string_equal(text_of(m), "# HELP b_bytes B.\n# TYPE b_bytes gauge\nb_bytes 0\n");
	metric_add(c, 1, (const char *const[]){ "q\"\\\n", "\xff" });
	metric_add(c, 2.5, (const char *const[]){ "q\"\\\n", "\xff" });
	metric_add(c, -1, (const char *const[]){ "q\"\\\n", "\xff" });
	metric_set(g, 1700000000.123, NULL);
	assert_string_equal(text_of(m), "# HELP a_total Of \\\\ a\\nkind.\n# TYPE a_total counter\n"
					"a_total{x=\"q\\\"\\\\\\n\",y=\"?\"} 3.5\n"
					"# HELP b_bytes B.\n# TYPE b_bytes gauge\n"
					"b_bytes 1700000000.123\n");
	metric_set(g, (double)INFINITY, NULL);
	assert_non_null(strstr(text_of(m), "b_bytes +Inf\n"));
	metric_set(g, -3, NULL);
	metric_add(g, -2, NULL);
	assert_non_null(strstr(text_of(m), "b_bytes -5\n"));
}

static void
buckets_of_a_histogram_add_up(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();
	struct metric *h =
		metrics_histogram(m, "d_seconds", "D.", (const char *const[]){ "r", NULL });
	const char *route = "/x", *text;

	(void)state;
	metric_observe(h, 0.001, &route);
	metric_observe(h, 0.3, &route);
	metric_observe(h, 601, &route);
	metric_observe(h, (double)NAN, &route);
	text = text_of(m);
	assert_non_null(strstr(text, "# TYPE d_seconds histogram\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"0.001\"} 1\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"0.25\"} 1\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"0.5\"} 2\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"600\"} 2\n"));
	/* JOB_TIMEOUT's default, and the most it may be: 7 days */
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"7200\"} 3\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"604800\"} 3\n"));
	assert_non_null(strstr(text, "d_seconds_bucket{r=\"/x\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "d_seconds_sum{r=\"/x\"} 601.301\n"));
	assert_non_null(strstr(text, "d_seconds_count{r=\"/x\"} 3\n"));
}

static void
series_past_the_limit_count_as_other(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();
	struct metric *c = metrics_counter(m, "c_total", "C.", (const char *const[]){ "k", NULL });
	const char *text, *p;
	int i, lines = 0;

	(void)state;
	for (i = 0; i < 1000; i++) {
		char value[16];

		(void)snprintf(value, sizeof value, "v%d", i);
		metric_add(c, 1, (const char *const[]){ value });
	}
	text = text_of(m);
	for (p = text; (p = strstr(p, "\nc_total{")) != NULL; p++)
		lines++;
	assert_int_equal(lines, 256);
	assert_non_null(strstr(text, "c_total{k=\"other\"} 745\n"));
}

static void
a_name_registered_twice_is_one_metric(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();

	(void)state;
	assert_ptr_equal(metrics_gauge(m, "g", "G.", NULL), metrics_gauge(m, "g", "G.", NULL));
}

static void
set_to_seven(void *gauge)
{
	metric_set(gauge, 7, NULL);
}

static void
refreshes_run_at_each_scrape_until_forgotten(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();
	struct metric *g = metrics_gauge(m, "g", "G.", NULL);

	(void)state;
	metrics_on_scrape(m, set_to_seven, g);
	assert_non_null(strstr(text_of(m), "\ng 7\n"));
	metrics_forget_scrapes(m);
	metric_set(g, 1, NULL);
	assert_non_null(strstr(text_of(m), "\ng 1\n"));
}

static void
what_could_not_be_made_is_ignored(void **state)
{
	(void)state;
	metric_add(NULL, 1, NULL);
	metric_set(NULL, 1, NULL);
	metric_observe(NULL, 1, NULL);
	metrics_free(NULL);
}

static void *
count_many(void *metric)
{
	int i;

	for (i = 0; i < 1000; i++) {
		metric_add(metric, 1, (const char *const[]){ i % 2 ? "odd" : "even" });
		metric_add(metric, 1, (const char *const[]){ "all" });
	}
	return NULL;
}

static void
threads_may_count_while_one_scrapes(void **state)
{
	SCOPED(free_metrics) struct metrics *m = make();
	struct metric *c = metrics_counter(m, "c_total", "C.", (const char *const[]){ "k", NULL });
	pthread_t threads[4];
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many, c), 0);
	for (i = 0; i < 50; i++)
		(void)text_of(m);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_non_null(strstr(text_of(m), "c_total{k=\"all\"} 4000\n"));
	assert_non_null(strstr(text_of(m), "c_total{k=\"odd\"} 2000\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_gauges_are_written),
		cmocka_unit_test(buckets_of_a_histogram_add_up),
		cmocka_unit_test(series_past_the_limit_count_as_other),
		cmocka_unit_test(a_name_registered_twice_is_one_metric),
		cmocka_unit_test(refreshes_run_at_each_scrape_until_forgotten),
		cmocka_unit_test(what_could_not_be_made_is_ignored),
		cmocka_unit_test(threads_may_count_while_one_scrapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
