#include "contract/queue/queue_suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "contract/queue/queue_rig.h"

static void
what_is_published_is_delivered_and_gone_after_its_ack(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 5);
	struct queue_delivery d;

	(void)state;
	rig_publish(p, rig.one, "{\"a\":1}");
	d = rig_next(c);
	assert_string_equal(d.message.body, "{\"a\":1}");
	assert_string_equal(d.message.destination, rig.one);
	assert_int_equal(d.message.len, 7);
	assert_false(d.redelivered);
	rig_ack(c, &d);
	consumer_close(TAKE(c));
	rig_await_ready(rig.one, 0);
	assert_int_equal(publisher_ping(p, NULL), 0);
}

static void
an_absent_queue_appears_with_the_first_publish(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();

	(void)state;
	assert_int_equal(rig.server->ready(rig.one), -1);
	rig_publish(p, rig.one, "kept");
	rig_await_ready(rig.one, 1);
}

static void
a_requeued_message_comes_back_redelivered(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	struct queue_delivery d;

	(void)state;
	rig_publish(p, rig.one, "again");
	d = rig_next(c);
	assert_int_equal(queue_requeue(c, &d, NULL), 0);
	queue_delivery_free(&d);
	d = rig_next(c);
	assert_true(d.redelivered);
	assert_string_equal(d.message.body, "again");
	rig_ack(c, &d);
}

static void
a_buried_message_is_in_the_dead_queue_with_its_reason(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	SCOPED_FREE char *body = NULL;
	struct queue_delivery d;
	char reason[240];
	size_t len;

	(void)state;
	rig_publish(p, rig.one, "not json");
	d = rig_next(c);
	assert_int_equal(queue_bury(c, &d, "no JSON", NULL), 0);
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	rig_await_ready(rig.one, 0);
	rig_await_ready(rig.one_dead, 1);
	assert_true(rig.server->take(rig.one_dead, &body, &len, reason));
	assert_int_equal(len, 8);
	assert_memory_equal(body, "not json", 8);
	assert_string_equal(reason, "no JSON");
}

static void
no_more_than_the_prefetch_is_held(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 2);
	struct queue_delivery a, b;

	(void)state;
	rig_publish(p, rig.one, "1");
	rig_publish(p, rig.one, "2");
	rig_publish(p, rig.one, "3");
	a = rig_next(c);
	b = rig_next(c);
	rig_assert_idle(c);
	rig_ack(c, &a);
	a = rig_next(c);
	assert_string_equal(a.message.body, "3");
	rig_ack(c, &a);
	rig_ack(c, &b);
}

static void
a_pause_gives_back_what_was_not_handed_out(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 3);
	struct queue_delivery held, d;

	(void)state;
	rig_publish(p, rig.one, "1");
	rig_publish(p, rig.one, "2");
	rig_publish(p, rig.one, "3");
	held = rig_next(c);
	assert_int_equal(queue_set_paused(c, true, NULL), 0);
	rig_assert_idle(c);
	rig_await_ready(rig.one, 2);
	rig_ack(c, &held); /* a pause takes nothing new, but what is held can be ended */
	assert_int_equal(queue_set_paused(c, false, NULL), 0);
	d = rig_next(c);
	rig_ack(c, &d);
	d = rig_next(c);
	rig_ack(c, &d);
	rig_assert_idle(c);
}

static void
one_consumer_serves_two_queues(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 2, 1);
	int seen_one = 0, seen_two = 0;

	(void)state;
	rig_publish(p, rig.one, "x");
	rig_publish(p, rig.two, "y");
	for (int i = 0; i < 2; i++) {
		struct queue_delivery d = rig_next(c);

		seen_one += strcmp(d.message.destination, rig.one) == 0 && *d.message.body == 'x';
		seen_two += strcmp(d.message.destination, rig.two) == 0 && *d.message.body == 'y';
		rig_ack(c, &d);
	}
	assert_int_equal(seen_one, 1);
	assert_int_equal(seen_two, 1);
}

static void
a_closed_consumer_leaves_what_it_held(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	struct queue_delivery d;

	(void)state;
	rig_publish(p, rig.one, "held");
	d = rig_next(c);
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	rig_await_ready(rig.one, 1);
}

static void
a_publish_after_its_queue_was_deleted_is_not_lost_silently(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	int told = 0;

	(void)state;
	rig_publish(p, rig.one, "1");
	rig.server->remove(rig.one);
	told = queue_put(p, rig.one, "2", 1, NULL);
	if (told < 0)
		rig_publish(p, rig.one, "2");
	rig_await_ready(rig.one, 1);
}

static void
a_consumer_whose_queue_was_deleted_subscribes_again(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	struct queue_delivery d;

	(void)state;
	rig_publish(p, rig.one, "1");
	d = rig_next(c);
	rig_ack(c, &d);
	rig.server->remove(rig.one);
	while (queue_put(p, rig.one, "2", 1, NULL) < 0)
		continue;
	d = rig_next(c);
	assert_string_equal(d.message.body, "2");
	rig_ack(c, &d);
}

#define THREADS 8
#define EACH 50

static void *
publish_many(void *arg)
{
	long failures = 0;

	for (int i = 0; i < EACH; i++)
		failures += queue_put(arg, rig.one, "m", 1, NULL) < 0;
	return failures ? arg : NULL;
}

static void
many_threads_publish_and_every_message_arrives(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	pthread_t threads[THREADS];
	void *failed;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, publish_many, p), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	rig_await_ready(rig.one, THREADS * EACH);
}

int
queue_suite_run(const char *name, const struct queue_suite_server *under_test)
{
	const struct CMUnitTest tests[] = {
		SENTENCE(what_is_published_is_delivered_and_gone_after_its_ack),
		SENTENCE(an_absent_queue_appears_with_the_first_publish),
		SENTENCE(a_requeued_message_comes_back_redelivered),
		SENTENCE(a_buried_message_is_in_the_dead_queue_with_its_reason),
		SENTENCE(no_more_than_the_prefetch_is_held),
		SENTENCE(a_pause_gives_back_what_was_not_handed_out),
		SENTENCE(one_consumer_serves_two_queues),
		SENTENCE(a_closed_consumer_leaves_what_it_held),
		SENTENCE(a_publish_after_its_queue_was_deleted_is_not_lost_silently),
		SENTENCE(a_consumer_whose_queue_was_deleted_subscribes_again),
		SENTENCE(many_threads_publish_and_every_message_arrives),
	};

	rig.server = under_test;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL) + queue_suite_message_run(name);
}
