/* The converter's loop: a thread takes messages from a broker in memory and converts with one more.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "converter/dispatch.h"
#include "fake/queue/queue_fake.h"
#include "service/converter_world.h"

#define SOON_MS 10000
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t until_ms = now_monotonic_ms() + SOON_MS;                                   \
                                                                                                   \
		while (!(condition) && deadline_left_ms(until_ms))                                 \
			(void)usleep(2000); /* between looks */                                    \
		assert_true(condition);                                                            \
	} while (0)

static const char *const queues[] = { "video" };

struct loop {
	struct world *world;
	struct queue_broker *broker;
	struct consumer *consumer;
	struct stop stop;
	atomic_int running;
	struct dispatch_config config;
	pthread_t thread;
	int result;
};

static void *
loop_main(void *arg)
{
	struct loop *l = arg;

	l->result = dispatch_run(&l->config, NULL);
	return NULL;
}

static struct loop *
loop_start(int64_t drain_ms)
{
	struct loop *l = calloc(1, sizeof *l);

	assert_non_null(l);
	l->world = world_new();
	assert_int_equal(queue_broker_new(&l->broker, NULL), 0);
	assert_int_equal(consumer_fake_new(l->broker, queues, 1, 1, &l->consumer, NULL), 0);
	assert_int_equal(stop_init(&l->stop, NULL), 0);
	l->config = (struct dispatch_config){ .converter = &l->world->converter,
					      .consumer = l->consumer,
					      .stop = &l->stop,
					      .hand_back = &l->world->hand_back,
					      .jobs = 1,
					      .drain_ms = drain_ms,
					      .running = &l->running };
	assert_int_equal(pthread_create(&l->thread, NULL, loop_main, l), 0);
	return l;
}

static void
loop_join(struct loop *l)
{
	stop_request(&l->stop);
	assert_int_equal(pthread_join(l->thread, NULL), 0);
	assert_int_equal(l->result, 0);
	assert_int_equal(atomic_load(&l->running), 0);
}

static void
loop_free(struct loop *l)
{
	consumer_close(l->consumer);
	queue_broker_free(l->broker);
	stop_fini(&l->stop);
	world_free(l->world);
	free(l);
}

static void
send(struct loop *l, const struct blob_id *video)
{
	char text[256];
	int n = snprintf(text, sizeof text,
			 "{\"video_fid\": \"%s\", \"mp3_fid\": null, \"username\": "
			 "\"user@example.org\"}",
			 video->hex);

	queue_broker_put(l->broker, "video", text, (size_t)n);
}

static bool
is_done(struct loop *l, const struct blob_id *video)
{
	struct job job;

	return job_get(l->world->converter.jobs, video, &job, NULL) == 0 && job.state == JOB_DONE;
}

static bool
lies_untouched(struct loop *l)
{
	struct queue_fake_message m;

	return queue_broker_look(l->broker, "video", 0, &m) && !m.held;
}

static void
a_message_becomes_a_job_that_is_done(void **state)
{
	struct loop *l = loop_start(SOON_MS);

	(void)state;
	send(l, &l->world->video);
	AWAIT(is_done(l, &l->world->video));
	loop_join(l);
	assert_int_equal(queue_broker_count(l->broker, "video"), 0);
	assert_int_equal(l->world->mp3s.count, 1);
	assert_false(atomic_load(&l->world->hand_back));
	loop_free(l);
}

/* Which of two jobs is due first depends on the clock: both must end in either case. */
static void
a_job_whose_message_was_lost_costs_no_other_its_own(void **state)
{
	struct loop *l = loop_start(SOON_MS);
	struct blob_id lost = world_shelve(&l->world->videos, "a film before it", NULL);
	struct job_message message = { .video_fid = lost, .username = "user@example.org" };

	(void)state;
	assert_int_equal(job_adopt(l->world->converter.jobs, &message, NULL), 0);
	send(l, &l->world->video);
	AWAIT(is_done(l, &lost));
	AWAIT(is_done(l, &l->world->video));
	loop_join(l);
	assert_int_equal(queue_broker_count(l->broker, "video"), 0);
	loop_free(l);
}

static void
without_a_free_thread_messages_stay_with_the_broker(void **state)
{
	struct loop *l = loop_start(SOON_MS);
	struct blob_id second = world_shelve(&l->world->videos, "another film", NULL);

	(void)state;
	encoder_fake_hold(l->world->converter.encoder, true);
	send(l, &l->world->video);
	send(l, &second);
	AWAIT(encoder_fake_held(l->world->converter.encoder) == 1);
	assert_int_equal(atomic_load(&l->running), 1);
	assert_true(lies_untouched(l));
	assert_int_equal(queue_broker_count(l->broker, "video"), 1);
	encoder_fake_hold(l->world->converter.encoder, false);
	AWAIT(is_done(l, &second));
	loop_join(l);
	loop_free(l);
}

static void
while_a_store_is_away_it_pauses_and_its_job_costs_no_attempt(void **state)
{
	struct loop *l = loop_start(SOON_MS);
	struct world *w = l->world;
	int looked;

	(void)state;
	atomic_store(&w->videos.fail, ERR_UNAVAILABLE);
	send(l, &w->video);
	AWAIT(atomic_load(&w->videos.pings) > 0); /* only who pauses asks */
	assert_int_equal(world_job(w).state, JOB_QUEUED);
	assert_int_equal(world_job(w).attempts, 0);
	send(l, &w->video);
	looked = atomic_load(&w->videos.pings);
	AWAIT(atomic_load(&w->videos.pings) > looked);
	assert_true(lies_untouched(l));
	atomic_store(&w->videos.fail, 0);
	AWAIT(is_done(l, &w->video));
	loop_join(l);
	assert_int_equal(queue_broker_count(l->broker, "video"), 0);
	loop_free(l);
}

static void
a_stop_lets_the_job_under_way_end_and_takes_no_other(void **state)
{
	struct loop *l = loop_start(SOON_MS);
	struct blob_id second = world_shelve(&l->world->videos, "another film", NULL);

	(void)state;
	encoder_fake_hold(l->world->converter.encoder, true);
	send(l, &l->world->video);
	AWAIT(encoder_fake_held(l->world->converter.encoder) == 1);
	stop_request(&l->stop);
	send(l, &second);
	encoder_fake_hold(l->world->converter.encoder, false);
	loop_join(l);
	assert_true(is_done(l, &l->world->video));
	assert_true(lies_untouched(l));
	assert_false(atomic_load(&l->world->hand_back));
	loop_free(l);
}

static void
a_job_that_does_not_fit_the_drain_is_given_back(void **state)
{
	struct loop *l = loop_start(50);

	(void)state;
	encoder_fake_hold(l->world->converter.encoder, true);
	send(l, &l->world->video);
	AWAIT(encoder_fake_held(l->world->converter.encoder) == 1);
	loop_join(l);
	assert_true(atomic_load(&l->world->hand_back));
	assert_int_equal(world_job(l->world).state, JOB_QUEUED);
	assert_int_equal(world_job(l->world).attempts, 0);
	assert_int_equal(l->world->mp3s.count, 0);
	loop_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_becomes_a_job_that_is_done),
		cmocka_unit_test(a_job_whose_message_was_lost_costs_no_other_its_own),
		cmocka_unit_test(without_a_free_thread_messages_stay_with_the_broker),
		cmocka_unit_test(while_a_store_is_away_it_pauses_and_its_job_costs_no_attempt),
		cmocka_unit_test(a_stop_lets_the_job_under_way_end_and_takes_no_other),
		cmocka_unit_test(a_job_that_does_not_fit_the_drain_is_given_back),
	};

	return cmocka_run_group_tests_name("the converter's dispatch", tests, NULL, NULL);
}
