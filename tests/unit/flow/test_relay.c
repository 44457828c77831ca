#include "unit/flow/outbox_fixture.h"

static void
an_expired_lease_is_freed_and_published_again(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	assert_int_equal(round_now(f), 1);
	assert_int_equal(lease_oldest(f->jobs, &job), 0);
	assert_int_equal(round_now(f), 0);
	present_ms += 61000;
	assert_int_equal(round_now(f), 1);
	assert_int_equal(job_get(&f->jobs->life, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job.state, JOB_QUEUED);
	assert_int_equal(f->broker.count, 2);
}

static void
a_ledger_that_fails_at_any_call_is_reported_and_the_next_round_mends_it(void **state)
{
	struct fixture *f = *state;
	int n = 0, r, published;

	do {
		struct blob_id mp3 = blob_id_new();
		struct err e = ERR_NONE;
		struct job job;
		int calls;

		queued(f);
		assert_int_equal(lease_oldest(f->jobs, &job), 0);
		assert_int_equal(job_finish(&f->jobs->life, &job.lease,
					    &(struct job_result){ .mp3_fid = mp3 }, NULL),
				 0);
		queued(f);
		calls = job_fake_calls(f->jobs);
		job_fake_break_nth(f->jobs, ++n, ERR_TIMEOUT);
		r = relay_round(&f->config, &published, &e);
		if (r == 0)
			assert_int_equal(job_fake_calls(f->jobs) - calls, n - 1);
		else
			assert_int_equal(e.code, ERR_TIMEOUT);
		job_fake_break_nth(f->jobs, 0, 0);
		round_now(f);
		assert_int_equal(round_now(f), 0);
		/* The next turn's lease must find the next turn's job. */
		while (lease_oldest(f->jobs, &job) == 0)
			continue;
	} while (r < 0);
	assert_true(n > 5);
}

static void
the_thread_publishes_everything_in_batches_and_when_poked(void **state)
{
	SCOPED(relay_stop_p) struct relay *r = NULL;
	struct fixture *f = *state;

	for (int i = 0; i < 150; i++)
		queued(f);
	f->config.interval_ms = 3600000;
	assert_int_equal(relay_start(&f->config, &r, NULL), 0);
	AWAIT(noted(&f->broker) == 150);
	queued(f);
	relay_poke(r);
	AWAIT(noted(&f->broker) == 151);
	assert_int_equal(atomic_load(&f->changes), 0);
}

static void
the_thread_tells_when_the_broker_goes_and_comes_back(void **state)
{
	SCOPED(relay_stop_p) struct relay *r = NULL;
	struct fixture *f = *state;

	set_result(&f->broker, ERR_UNAVAILABLE);
	queued(f);
	assert_int_equal(relay_start(&f->config, &r, NULL), 0);
	AWAIT(atomic_load(&f->changes) == 1);
	assert_int_equal(atomic_load(&f->last_change), ERR_UNAVAILABLE);
	set_result(&f->broker, 0);
	AWAIT(atomic_load(&f->changes) == 2);
	assert_int_equal(atomic_load(&f->last_change), 0);
	assert_int_equal(noted(&f->broker), 1);
}

static void
stopping_does_not_wait_for_the_interval(void **state)
{
	struct fixture *f = *state;
	struct relay *r = NULL;
	int64_t start = now_monotonic_ms();

	f->config.interval_ms = 3600000;
	assert_int_equal(relay_start(&f->config, &r, NULL), 0);
	relay_stop(r);
	relay_stop(NULL);
	assert_true(now_monotonic_ms() - start < PATIENCE_MS);
}

static void
what_cannot_be_announced_is_left_to_the_relay_at_once(void **state)
{
	struct fixture *f = *state;
	SCOPED(relay_stop_p) struct relay *r = NULL;
	struct relay_announcer announcer = { .outbox = &f->outbox, .publisher = &f->broker.port };
	struct job job;

	f->config.interval_ms = 3600000;
	assert_int_equal(relay_start(&f->config, &r, NULL), 0);
	AWAIT(job_fake_calls(f->jobs) == 3); /* its first round is over, the next an hour away */
	announcer.relay = r;
	job = queued(f);
	relay_announce(&announcer, &job, JOB_PUBLISH_VIDEO);
	assert_int_equal(noted(&f->broker), 1);
	job = queued(f);
	announcer.patience_ms = 1;
	f->broker.slow_ms = 20;
	relay_announce(&announcer, &job, JOB_PUBLISH_VIDEO); /* late: the relay says it again */
	AWAIT(noted(&f->broker) == 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(an_expired_lease_is_freed_and_published_again),
		ENTRY(a_ledger_that_fails_at_any_call_is_reported_and_the_next_round_mends_it),
		ENTRY(the_thread_publishes_everything_in_batches_and_when_poked),
		ENTRY(the_thread_tells_when_the_broker_goes_and_comes_back),
		ENTRY(stopping_does_not_wait_for_the_interval),
		ENTRY(what_cannot_be_announced_is_left_to_the_relay_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
