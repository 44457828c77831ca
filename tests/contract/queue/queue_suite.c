#include "contract/queue/queue_suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"

#define SOON_MS 10000
#define NOTHING_MS 150
#define BIG (1024 * 1024)

static const struct queue_suite_server *server;
static char one[64], two[64], one_dead[80];
static const char *const both[] = { one, two };

static int
begin(void **state)
{
	char id[9];

	(void)state;
	random_hex(id, 8);
	(void)snprintf(one, sizeof one, "tonearm_test_%s_one", id);
	(void)snprintf(two, sizeof two, "tonearm_test_%s_two", id);
	(void)snprintf(one_dead, sizeof one_dead, "%s.dead", one);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	server->remove(one);
	server->remove(two);
	server->remove(one_dead);
	return 0;
}

static void
publish(struct publisher *p, const char *queue, const char *body)
{
	struct err e = ERR_NONE;

	if (queue_publish(p, queue, body, strlen(body), &e) < 0)
		fail_msg("publish: %s", e.text);
}

static struct queue_delivery
next(struct consumer *c)
{
	struct queue_delivery d = { 0 };

	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_non_null(d.body);
	return d;
}

static void
ack(struct consumer *c, struct queue_delivery *d)
{
	struct err e = ERR_NONE;

	if (queue_ack(c, d, &e) < 0)
		fail_msg("ack: %s", e.text);
	queue_delivery_free(d);
}

static void
await_ready(const char *queue, int count)
{
	int64_t until = now_monotonic_ms() + SOON_MS;

	while (server->ready(queue) != count)
		if (deadline_left_ms(until) == 0)
			fail_msg("%s holds %d, not %d", queue, server->ready(queue), count);
}

static void
assert_idle(struct consumer *c)
{
	struct queue_delivery d;

	assert_int_equal(queue_next(c, NOTHING_MS, &d, NULL), QUEUE_IDLE);
}

static void
what_is_published_is_delivered_and_gone_after_its_ack(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 5);
	struct queue_delivery d;

	(void)state;
	publish(p, one, "{\"a\":1}");
	d = next(c);
	assert_string_equal(d.body, "{\"a\":1}");
	assert_string_equal(d.queue, one);
	assert_int_equal(d.len, 7);
	assert_false(d.redelivered);
	ack(c, &d);
	consumer_close(TAKE(c));
	await_ready(one, 0);
	assert_int_equal(publisher_ping(p, NULL), 0);
}

static void
an_absent_queue_appears_with_the_first_publish(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();

	(void)state;
	assert_int_equal(server->ready(one), -1);
	publish(p, one, "kept");
	await_ready(one, 1);
}

static void
a_requeued_message_comes_back_redelivered(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	struct queue_delivery d;

	(void)state;
	publish(p, one, "again");
	d = next(c);
	assert_int_equal(queue_requeue(c, &d, NULL), 0);
	queue_delivery_free(&d);
	d = next(c);
	assert_true(d.redelivered);
	assert_string_equal(d.body, "again");
	ack(c, &d);
}

static void
a_buried_message_is_in_the_dead_queue_with_its_reason(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	SCOPED_FREE char *body = NULL;
	struct queue_delivery d;
	char reason[240];
	size_t len;

	(void)state;
	publish(p, one, "not json");
	d = next(c);
	assert_int_equal(queue_bury(c, &d, "no JSON", NULL), 0);
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	await_ready(one, 0);
	await_ready(one_dead, 1);
	assert_true(server->take(one_dead, &body, &len, reason));
	assert_int_equal(len, 8);
	assert_memory_equal(body, "not json", 8);
	assert_string_equal(reason, "no JSON");
}

static void
no_more_than_the_prefetch_is_held(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 2);
	struct queue_delivery a, b;

	(void)state;
	publish(p, one, "1");
	publish(p, one, "2");
	publish(p, one, "3");
	a = next(c);
	b = next(c);
	assert_idle(c);
	ack(c, &a);
	a = next(c);
	assert_string_equal(a.body, "3");
	ack(c, &a);
	ack(c, &b);
}

static void
a_pause_gives_back_what_was_not_handed_out(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 3);
	struct queue_delivery held, d;

	(void)state;
	publish(p, one, "1");
	publish(p, one, "2");
	publish(p, one, "3");
	held = next(c);
	assert_int_equal(queue_pause(c, true, NULL), 0);
	assert_idle(c);
	await_ready(one, 2);
	ack(c, &held); /* a pause takes nothing new, but what is held can be ended */
	assert_int_equal(queue_pause(c, false, NULL), 0);
	d = next(c);
	ack(c, &d);
	d = next(c);
	ack(c, &d);
	assert_idle(c);
}

static void
one_consumer_serves_two_queues(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 2, 1);
	int seen_one = 0, seen_two = 0;

	(void)state;
	publish(p, one, "x");
	publish(p, two, "y");
	for (int i = 0; i < 2; i++) {
		struct queue_delivery d = next(c);

		seen_one += strcmp(d.queue, one) == 0 && *d.body == 'x';
		seen_two += strcmp(d.queue, two) == 0 && *d.body == 'y';
		ack(c, &d);
	}
	assert_int_equal(seen_one, 1);
	assert_int_equal(seen_two, 1);
}

static void
a_closed_consumer_leaves_what_it_held(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	struct queue_delivery d;

	(void)state;
	publish(p, one, "held");
	d = next(c);
	queue_delivery_free(&d);
	consumer_close(TAKE(c));
	await_ready(one, 1);
}

static void
a_publish_after_its_queue_was_deleted_is_not_lost_silently(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	int told = 0;

	(void)state;
	publish(p, one, "1");
	server->remove(one);
	told = queue_publish(p, one, "2", 1, NULL);
	if (told < 0)
		publish(p, one, "2");
	await_ready(one, 1);
}

static void
a_consumer_whose_queue_was_deleted_subscribes_again(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	struct queue_delivery d;

	(void)state;
	publish(p, one, "1");
	d = next(c);
	ack(c, &d);
	server->remove(one);
	while (queue_publish(p, one, "2", 1, NULL) < 0)
		continue;
	d = next(c);
	assert_string_equal(d.body, "2");
	ack(c, &d);
}

static void
bodies_from_empty_to_a_mebibyte_arrive_whole(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	SCOPED_FREE char *big = malloc(BIG + 1);
	struct queue_delivery d;

	(void)state;
	assert_non_null(big);
	memset(big, 'b', BIG + 1);
	assert_int_equal(queue_publish(p, one, "", 0, NULL), 0);
	assert_int_equal(queue_publish(p, one, big, BIG, NULL), 0);
	assert_int_equal(queue_publish(p, one, big, BIG + 1, NULL), ERR_TOO_LARGE);
	d = next(c);
	assert_int_equal(d.len, 0);
	assert_string_equal(d.body, "");
	ack(c, &d);
	d = next(c);
	assert_int_equal(d.len, BIG);
	assert_memory_equal(d.body, big, BIG);
	ack(c, &d);
}

static void
a_foreign_body_over_a_mebibyte_can_be_buried(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = server->consumer(both, 1, 1);
	SCOPED_FREE char *big = calloc(1, 3 * BIG);
	struct queue_delivery d;

	(void)state;
	assert_non_null(big);
	publish(p, one, "first");
	server->put(one, big, 3 * BIG);
	d = next(c);
	ack(c, &d);
	d = next(c);
	assert_true(d.len >= BIG);
	assert_int_equal(queue_bury(c, &d, "too large", NULL), 0);
	queue_delivery_free(&d);
	await_ready(one_dead, 1);
	publish(p, one, "after");
	d = next(c);
	assert_string_equal(d.body, "after");
	ack(c, &d);
}

#define THREADS 8
#define EACH 50

static void *
publish_many(void *arg)
{
	long failures = 0;

	for (int i = 0; i < EACH; i++)
		failures += queue_publish(arg, one, "m", 1, NULL) < 0;
	return failures ? arg : NULL;
}

static void
many_threads_publish_and_every_message_arrives(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	pthread_t threads[THREADS];
	void *failed;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, publish_many, p), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	await_ready(one, THREADS * EACH);
}

#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, begin, end)

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
		SENTENCE(bodies_from_empty_to_a_mebibyte_arrive_whole),
		SENTENCE(a_foreign_body_over_a_mebibyte_can_be_buried),
		SENTENCE(many_threads_publish_and_every_message_arrives),
	};

	server = under_test;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
