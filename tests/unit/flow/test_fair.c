/* The memory of turns beyond what the ledger's suite says of fairness. */
#include "flow/fair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake/job/job_fake.h"

static const struct job_lease_terms terms = { "test", 60000 };

static void
queue_for(struct ledger *l, int user)
{
	struct job job = { .video_fid = blob_id_new(), .state = JOB_QUEUED };

	(void)snprintf(job.username, sizeof job.username, "user%d", user);
	assert_int_equal(job_create(&l->life, &job, NULL), 0);
}

static struct job
serve(struct fair *f, struct ledger *l)
{
	struct job_result result = { .mp3_fid = blob_id_new() };
	struct job job;

	assert_int_equal(fair_lease(f, &l->life, &terms, &job, NULL), 0);
	assert_int_equal(job_finish(&l->life, &job.lease, &result, NULL), 0);
	return job;
}

static void
who_is_forgotten_counts_as_never_served(void **state)
{
	SCOPED(ledger_close_p) struct ledger *l = NULL;
	SCOPED(fair_fini) struct fair f;

	(void)state;
	fair_init(&f);
	assert_int_equal(job_fake_new(NULL, &l, NULL), 0);
	for (int i = 0; i <= FAIR_TURNS_MAX; i++) {
		queue_for(l, i);
		(void)serve(&f, l);
	}
	for (int i = FAIR_TURNS_MAX; i >= 0; i--)
		queue_for(l, i);
	assert_string_equal(serve(&f, l).username, "user0");
	assert_string_equal(serve(&f, l).username, "user1");
}

static void
a_ledger_that_is_away_is_told_in_its_own_words(void **state)
{
	SCOPED(ledger_close_p) struct ledger *l = NULL;
	SCOPED(fair_fini) struct fair f;
	struct err e = ERR_NONE;
	struct job job;

	(void)state;
	fair_init(&f);
	assert_int_equal(job_fake_new(NULL, &l, NULL), 0);
	assert_int_equal(fair_lease(&f, &l->life, &terms, &job, &e), ERR_NOT_FOUND);
	queue_for(l, 1);
	for (int n = 1; n <= 2; n++) {
		job_fake_break_nth(l, n, ERR_UNAVAILABLE);
		assert_int_equal(fair_lease(&f, &l->life, &terms, &job, &e), ERR_UNAVAILABLE);
		assert_int_equal(e.code, ERR_UNAVAILABLE);
		assert_non_null(strstr(e.text, "fails this call"));
	}
	assert_int_equal(fair_lease(&f, &l->life, &terms, &job, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_forgotten_counts_as_never_served),
		cmocka_unit_test(a_ledger_that_is_away_is_told_in_its_own_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
