#include "flow/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "fake/job/job_fake.h"

#define PATIENCE_MS 10000

/* Looks again and again until condition holds; fails the test when it never does. */
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t deadline = now_monotonic_ms() + PATIENCE_MS;                               \
		while (!(condition)) {                                                             \
			assert_true(now_monotonic_ms() < deadline);                                \
			breathe();                                                                 \
		}                                                                                  \
	} while (0)

struct fixture {
	struct ledger *jobs;
	struct job job;
	int renewals;
	double seen; /* progress at the last of them */
};

static void
breathe(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static int
lease_one(void **state)
{
	static struct fixture f;
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_QUEUED };

	f = (struct fixture){ 0 };
	*state = &f;
	if (job_fake_new(NULL, &f.jobs, NULL) < 0 || job_create(&f.jobs->life, &job, NULL) < 0)
		return -1;
	return job_lease_oldest(&f.jobs->life, &(struct job_lease_terms){ "test", 60000 }, NULL, 0,
				&f.job, NULL);
}

static int
close_jobs(void **state)
{
	ledger_close(((struct fixture *)*state)->jobs);
	return 0;
}

static struct job
present(struct fixture *f)
{
	struct job job = { 0 };

	assert_int_equal(job_get(&f->jobs->life, &f->job.video_fid, &job, NULL), 0);
	return job;
}

static void
note_renewal(struct fixture *f)
{
	double now = present(f).progress.fraction;

	f->renewals += now > f->seen;
	f->seen = now;
}

static void
a_kept_lease_is_renewed_with_its_progress(void **state)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *k = NULL;
	struct fixture *f = *state;

	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 900, &k, NULL), 0);
	lease_keeper_progress(k, &(struct job_progress){ .fraction = 0.5 });
	AWAIT(present(f).progress.fraction > 0.4);
	assert_int_not_equal(present(f).lease.until_ms, f->job.lease.until_ms);
	assert_false(lease_keeper_lost(k));
}

static void
progress_is_recorded_within_a_second_and_at_most_once_in_it(void **state)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *k = NULL;
	struct fixture *f = *state;
	int64_t start = now_monotonic_ms(), took_ms;
	int told = 0;

	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 600000, &k, NULL), 0);
	while (f->renewals < 2) {
		lease_keeper_progress(k, &(struct job_progress){ .fraction = ++told * 1e-6 });
		note_renewal(f);
		assert_true(now_monotonic_ms() - start < PATIENCE_MS);
		breathe();
	}
	took_ms = now_monotonic_ms() - start;
	assert_true(took_ms >= 1900);
	assert_true(told > 2);
}

static void
a_lease_that_went_to_another_is_lost(void **state)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *k = NULL;
	struct fixture *f = *state;

	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 30000, &k, NULL), 0);
	assert_false(lease_keeper_lost(k));
	lease_keeper_stop(TAKE(k));
	assert_int_equal(job_hand_back(&f->jobs->life, &f->job.lease, NULL, NULL), 0);
	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 3000, &k, NULL), 0);
	AWAIT(job_fake_calls(f->jobs) >= 4);
	AWAIT(lease_keeper_lost(k));
}

static void
a_short_absence_of_the_server_loses_nothing(void **state)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *k = NULL;
	struct fixture *f = *state;
	int calls = job_fake_calls(f->jobs);

	job_fake_break(f->jobs, ERR_UNAVAILABLE);
	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 3000, &k, NULL), 0);
	lease_keeper_progress(k, &(struct job_progress){ .fraction = 0.75 });
	AWAIT(job_fake_calls(f->jobs) > calls);
	job_fake_break(f->jobs, 0);
	AWAIT(present(f).progress.fraction > 0.7);
	assert_false(lease_keeper_lost(k));
}

static void
without_a_renewal_the_lease_is_lost_by_our_own_clock(void **state)
{
	SCOPED(lease_keeper_stop_p) struct lease_keeper *k = NULL;
	struct fixture *f = *state;
	int64_t start = now_monotonic_ms();

	job_fake_break(f->jobs, ERR_TIMEOUT);
	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 300, &k, NULL), 0);
	AWAIT(lease_keeper_lost(k));
	assert_true(now_monotonic_ms() - start >= 300);
	job_fake_break(f->jobs, 0);
	assert_true(lease_keeper_lost(k));
}

static void
stopping_does_not_wait_for_the_next_renewal(void **state)
{
	struct fixture *f = *state;
	struct lease_keeper *k = NULL;
	int64_t start = now_monotonic_ms();

	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 600000, &k, NULL), 0);
	lease_keeper_stop(k);
	lease_keeper_stop(NULL);
	assert_true(now_monotonic_ms() - start < PATIENCE_MS);
}

static void
a_lease_of_no_length_is_refused(void **state)
{
	struct lease_keeper *k = NULL;
	struct fixture *f = *state;

	assert_int_equal(lease_keeper_start(&f->jobs->life, &f->job.lease, 0, &k, NULL),
			 ERR_INVALID);
	assert_null(k);
}

int
main(void)
{
#define ENTRY(test) cmocka_unit_test_setup_teardown(test, lease_one, close_jobs)
	const struct CMUnitTest tests[] = {
		ENTRY(a_kept_lease_is_renewed_with_its_progress),
		ENTRY(progress_is_recorded_within_a_second_and_at_most_once_in_it),
		ENTRY(a_lease_that_went_to_another_is_lost),
		ENTRY(a_short_absence_of_the_server_loses_nothing),
		ENTRY(without_a_renewal_the_lease_is_lost_by_our_own_clock),
		ENTRY(stopping_does_not_wait_for_the_next_renewal),
		ENTRY(a_lease_of_no_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
