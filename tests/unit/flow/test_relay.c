#include "flow/relay.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "fake/job/job_fake.h"

#define PATIENCE_MS 10000
#define BODIES_MAX 200

#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t deadline = now_monotonic_ms() + PATIENCE_MS;                               \
		while (!(condition)) {                                                             \
			assert_true(now_monotonic_ms() < deadline);                                \
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                 \
		}                                                                                  \
	} while (0)

/* A broker that notes what it was given. */
struct notebook {
	struct publisher port;
	pthread_mutex_t lock;
	/* under lock */
	int result; /* of every publish */
	size_t count, refused;
	char queues[BODIES_MAX][16];
	char bodies[BODIES_MAX][512];
	/* set once */
	int slow_ms;
	struct ledger *takes; /* not NULL: a converter that leases before the publish returns */
};

struct fixture {
	struct ledger *jobs;
	struct notebook broker;
	struct relay_config config;
	atomic_int changes, last_change;
};

static int64_t present_ms;

static int64_t
present(const struct clock *c)
{
	(void)c;
	return present_ms;
}

static const struct clock stopped = { .monotonic_ms = present, .unix_ms = present };

static int
note(struct publisher *p, const struct message *m, struct err *e)
{
	struct notebook *n = CONTAINER_OF(p, struct notebook, port);
	int r;

	pthread_mutex_lock(&n->lock);
	if ((r = n->result) < 0) {
		n->refused++;
		err_set(e, r, "no broker");
	} else if (n->count < BODIES_MAX) {
		snprintf(n->queues[n->count], sizeof n->queues[0], "%s", m->destination);
		snprintf(n->bodies[n->count], sizeof n->bodies[0], "%.*s", (int)m->len, m->body);
		n->count++;
	}
	pthread_mutex_unlock(&n->lock);
	nanosleep(&(struct timespec){ .tv_nsec = n->slow_ms * 1000000L }, NULL);
	if (n->takes) {
		struct job job;

		assert_int_equal(job_lease_oldest(&n->takes->life,
						  &(struct job_lease_terms){ "c", 60000 }, NULL, 0,
						  &job, NULL),
				 0);
	}
	return r;
}

static const struct publisher_ops note_ops = { .publish = note };

static size_t
noted(struct notebook *n)
{
	size_t count;

	pthread_mutex_lock(&n->lock);
	count = n->count;
	pthread_mutex_unlock(&n->lock);
	return count;
}

static void
set_result(struct notebook *n, int result)
{
	pthread_mutex_lock(&n->lock);
	n->result = result;
	pthread_mutex_unlock(&n->lock);
}

static void
on_change(void *arg, const struct err *e)
{
	struct fixture *f = arg;

	atomic_store(&f->last_change, e->code);
	atomic_fetch_add(&f->changes, 1);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	*state = f;
	present_ms = 1700000000000;
	if (f == NULL || job_fake_new(&stopped, &f->jobs, NULL) < 0)
		return -1;
	f->broker.port.ops = &note_ops;
	pthread_mutex_init(&f->broker.lock, NULL);
	f->config = (struct relay_config){ .jobs = &f->jobs->outbox,
					   .publisher = &f->broker.port,
					   .video_queue = "video",
					   .mp3_queue = "mp3",
					   .failed_queue = "failed",
					   .interval_ms = 5,
					   .on_change = on_change,
					   .on_change_arg = f };
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ledger_close(f->jobs);
	pthread_mutex_destroy(&f->broker.lock);
	free(f);
	return 0;
}

static struct job
queued(struct fixture *f)
{
	struct job job = { .video_fid = blob_id_new(), .username = "a@b.c", .state = JOB_QUEUED };

	assert_int_equal(job_create(&f->jobs->life, &job, NULL), 0);
	return job;
}

static int
round_now(struct fixture *f)
{
	int published = -1;

	assert_int_equal(relay_round(&f->config, &published, NULL), 0);
	return published;
}

static void
each_kind_of_message_goes_to_its_queue_once(void **state)
{
	struct fixture *f = *state;
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(f);
	assert_int_equal(job_lease_oldest(&f->jobs->life, &(struct job_lease_terms){ "c", 60000 },
					  NULL, 0, &job, NULL),
			 0);
	assert_int_equal(job_finish(&f->jobs->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 0);
	queued(f);
	assert_int_equal(job_lease_oldest(&f->jobs->life, &(struct job_lease_terms){ "c", 60000 },
					  NULL, 0, &job, NULL),
			 0);
	assert_int_equal(job_fail(&f->jobs->life, &job.lease,
				  &(struct job_error){ "no_audio", "mute" }, NULL),
			 0);
	job = queued(f);
	assert_int_equal(round_now(f), 3);
	assert_string_equal(f->broker.queues[0], "mp3");
	assert_non_null(strstr(f->broker.bodies[0], mp3.hex));
	assert_string_equal(f->broker.queues[1], "failed");
	assert_non_null(strstr(f->broker.bodies[1], "no_audio"));
	assert_string_equal(f->broker.queues[2], "video");
	assert_non_null(strstr(f->broker.bodies[2], job.video_fid.hex));
	assert_int_equal(round_now(f), 0);
}

static void
an_expired_lease_is_freed_and_published_again(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	assert_int_equal(round_now(f), 1);
	assert_int_equal(job_lease_oldest(&f->jobs->life, &(struct job_lease_terms){ "c", 60000 },
					  NULL, 0, &job, NULL),
			 0);
	assert_int_equal(round_now(f), 0);
	present_ms += 61000;
	assert_int_equal(round_now(f), 1);
	assert_int_equal(job_get(&f->jobs->life, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job.state, JOB_QUEUED);
	assert_int_equal(f->broker.count, 2);
}

static void
a_broker_that_is_away_is_asked_once_per_kind_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int published = -1;

	for (int i = 0; i < 5; i++)
		queued(f);
	set_result(&f->broker, ERR_UNAVAILABLE);
	assert_int_equal(relay_round(&f->config, &published, &e), ERR_UNAVAILABLE);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_int_equal(published, 0);
	assert_int_equal(f->broker.refused, 1);
	set_result(&f->broker, 0);
	assert_int_equal(round_now(f), 5);
}

static void
a_message_that_is_taken_before_its_mark_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	f->broker.takes = f->jobs;
	assert_int_equal(relay_publish(&f->config, &job, JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(job_get(&f->jobs->life, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job.state, JOB_LEASED);
	assert_int_equal(job.video_published_ms, 0);
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
		assert_int_equal(job_lease_oldest(&f->jobs->life,
						  &(struct job_lease_terms){ "c", 60000 }, NULL, 0,
						  &job, NULL),
				 0);
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
		while (job_lease_oldest(&f->jobs->life, &(struct job_lease_terms){ "c", 60000 },
					NULL, 0, &job, NULL) == 0)
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
what_a_missing_queue_held_is_published_again(void **state)
{
	struct fixture *f = *state;
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(f);
	assert_int_equal(job_lease_oldest(&f->jobs->life, &(struct job_lease_terms){ "c", 60000 },
					  NULL, 0, &job, NULL),
			 0);
	assert_int_equal(job_finish(&f->jobs->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 0);
	job = queued(f);
	assert_int_equal(round_now(f), 2);
	assert_int_equal(relay_queue_missing(&f->config, "video.dead", NULL), 0);
	assert_int_equal(round_now(f), 0);
	assert_int_equal(relay_queue_missing(&f->config, "video", NULL), 0);
	assert_int_equal(round_now(f), 1);
	assert_string_equal(f->broker.queues[2], "video");
	assert_non_null(strstr(f->broker.bodies[2], job.video_fid.hex));
	assert_int_equal(relay_queue_missing(&f->config, "mp3", NULL), 0);
	assert_int_equal(round_now(f), 1);
	assert_string_equal(f->broker.queues[3], "mp3");
}

static void
a_publish_that_was_late_is_not_marked_and_comes_again(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	f->config.patience_ms = 1;
	f->broker.slow_ms = 20;
	assert_int_equal(relay_publish(&f->config, &job, JOB_PUBLISH_VIDEO, NULL), ERR_TIMEOUT);
	assert_int_equal(noted(&f->broker), 1);
	f->config.patience_ms = 0;
	assert_int_equal(round_now(f), 1);
	assert_int_equal(round_now(f), 0);
}

int
main(void)
{
#define ENTRY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ENTRY(each_kind_of_message_goes_to_its_queue_once),
		ENTRY(an_expired_lease_is_freed_and_published_again),
		ENTRY(a_broker_that_is_away_is_asked_once_per_kind_and_loses_nothing),
		ENTRY(a_message_that_is_taken_before_its_mark_is_no_error),
		ENTRY(a_ledger_that_fails_at_any_call_is_reported_and_the_next_round_mends_it),
		ENTRY(the_thread_publishes_everything_in_batches_and_when_poked),
		ENTRY(the_thread_tells_when_the_broker_goes_and_comes_back),
		ENTRY(stopping_does_not_wait_for_the_interval),
		ENTRY(what_a_missing_queue_held_is_published_again),
		ENTRY(a_publish_that_was_late_is_not_marked_and_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
