/* What a message may hold, and that it arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "contract/queue/queue_rig.h"

static const struct message_header two_headers[] = { { "kind", "song" }, { "trace", "" } };

static void
a_key_and_headers_travel_with_the_body(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	struct message m = { rig.one, "65f0", two_headers, 2, "x", 1 };
	struct queue_delivery d;

	(void)state;
	assert_int_equal(queue_publish(p, &m, NULL), 0);
	rig_publish(p, rig.one, "bare");
	d = rig_next(c);
	assert_string_equal(d.message.key, "65f0");
	assert_int_equal(d.message.header_count, 2);
	assert_string_equal(message_header(&d.message, "kind"), "song");
	assert_string_equal(message_header(&d.message, "trace"), "");
	rig_ack(c, &d);
	d = rig_next(c);
	assert_null(d.message.key);
	assert_int_equal(d.message.header_count, 0);
	rig_ack(c, &d);
}

static void
what_is_no_message_is_refused_and_goes_nowhere(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	const struct message_header reserved = { "x-reason", "none" };

	(void)state;
	rig_publish(p, rig.one, "1");
	assert_int_equal(queue_put(p, "", "x", 1, NULL), ERR_INVALID);
	assert_int_equal(
		queue_publish(p, &(struct message){ rig.one, NULL, &reserved, 1, "x", 1 }, NULL),
		ERR_INVALID);
	rig_await_ready(rig.one, 1);
}

static void
bodies_from_empty_to_a_mebibyte_arrive_whole(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	SCOPED_FREE char *big = malloc(BIG + 1);
	struct queue_delivery d;

	(void)state;
	assert_non_null(big);
	memset(big, 'b', BIG + 1);
	assert_int_equal(queue_put(p, rig.one, "", 0, NULL), 0);
	assert_int_equal(queue_put(p, rig.one, big, BIG, NULL), 0);
	assert_int_equal(queue_put(p, rig.one, big, BIG + 1, NULL), ERR_TOO_LARGE);
	d = rig_next(c);
	assert_int_equal(d.message.len, 0);
	assert_string_equal(d.message.body, "");
	rig_ack(c, &d);
	d = rig_next(c);
	assert_int_equal(d.message.len, BIG);
	assert_memory_equal(d.message.body, big, BIG);
	rig_ack(c, &d);
}

static void
a_foreign_body_over_a_mebibyte_can_be_buried(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = rig.server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = rig.server->consumer(rig.both, 1, 1);
	SCOPED_FREE char *big = calloc(1, 3 * BIG);
	struct queue_delivery d;

	(void)state;
	assert_non_null(big);
	rig_publish(p, rig.one, "first");
	rig.server->put(rig.one, big, 3 * BIG);
	d = rig_next(c);
	rig_ack(c, &d);
	d = rig_next(c);
	assert_true(d.message.len >= BIG);
	assert_int_equal(queue_bury(c, &d, "too large", NULL), 0);
	queue_delivery_free(&d);
	rig_await_ready(rig.one_dead, 1);
	rig_publish(p, rig.one, "after");
	d = rig_next(c);
	assert_string_equal(d.message.body, "after");
	rig_ack(c, &d);
}

int
queue_suite_message_run(const char *name)
{
	const struct CMUnitTest tests[] = {
		SENTENCE(a_key_and_headers_travel_with_the_body),
		SENTENCE(what_is_no_message_is_refused_and_goes_nowhere),
		SENTENCE(bodies_from_empty_to_a_mebibyte_arrive_whole),
		SENTENCE(a_foreign_body_over_a_mebibyte_can_be_buried),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
