#include "contract/queue/queue_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"

struct queue_rig rig = { .both = { rig.one, rig.two } };

int
rig_begin(void **state)
{
	char id[9];

	(void)state;
	random_hex(id, 8);
	(void)snprintf(rig.one, sizeof rig.one, "tonearm_test_%s_one", id);
	(void)snprintf(rig.two, sizeof rig.two, "tonearm_test_%s_two", id);
	(void)snprintf(rig.one_dead, sizeof rig.one_dead, "%s.dead", rig.one);
	return 0;
}

int
rig_end(void **state)
{
	(void)state;
	rig.server->remove(rig.one);
	rig.server->remove(rig.two);
	rig.server->remove(rig.one_dead);
	return 0;
}

void
rig_publish(struct publisher *p, const char *queue, const char *body)
{
	struct err e = ERR_NONE;

	if (queue_put(p, queue, body, strlen(body), &e) < 0)
		fail_msg("publish: %s", e.text);
}

struct queue_delivery
rig_next(struct consumer *c)
{
	struct queue_delivery d = { 0 };

	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_non_null(d.message.body);
	return d;
}

void
rig_ack(struct consumer *c, struct queue_delivery *d)
{
	struct err e = ERR_NONE;

	if (queue_ack(c, d, &e) < 0)
		fail_msg("ack: %s", e.text);
	queue_delivery_free(d);
}

void
rig_await_ready(const char *queue, int count)
{
	int64_t until = now_monotonic_ms() + SOON_MS;

	while (rig.server->ready(queue) != count)
		if (deadline_left_ms(until) == 0)
			fail_msg("%s holds %d, not %d", queue, rig.server->ready(queue), count);
}

void
rig_assert_idle(struct consumer *c)
{
	struct queue_delivery d;

	assert_int_equal(queue_next(c, NOTHING_MS, &d, NULL), QUEUE_IDLE);
}
