#include "contract/queue/dead_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"

#define SOON_MS 10000
#define LETTERS 8
#define BIG (1024 * 1024)

static const struct queue_suite_server *server;
static struct dead_letters *(*open_dead)(void);
static char queue[64], dead[80];

/* What a visitor saw, and what it says of each. */
struct notes {
	int verdicts[LETTERS];
	char bodies[LETTERS][32], reasons[LETTERS][64];
	bool redelivered[LETTERS];
	uint64_t sizes[LETTERS];
	size_t lens[LETTERS];
	int count;
};

static int
note_letter(void *arg, const struct dead_letter *letter, struct err *e)
{
	struct notes *n = arg;
	int i = n->count++;

	(void)e;
	assert_true(i < LETTERS);
	assert_string_equal(letter->message.destination, queue);
	(void)snprintf(n->bodies[i], sizeof n->bodies[i], "%.20s", letter->message.body);
	(void)snprintf(n->reasons[i], sizeof n->reasons[i], "%s", letter->reason);
	n->redelivered[i] = letter->redelivered;
	n->sizes[i] = letter->size;
	n->lens[i] = letter->message.len;
	return n->verdicts[i];
}

static int
dead_begin(void **state)
{
	char id[9];

	random_hex(id, 8);
	(void)snprintf(queue, sizeof queue, "tonearm_test_%s", id);
	(void)snprintf(dead, sizeof dead, "%s.dead", queue);
	*state = open_dead();
	return *state ? 0 : -1;
}

static int
dead_end(void **state)
{
	dead_letters_close(*state);
	server->remove(queue);
	server->remove(dead);
	return 0;
}

static void
await_ready(const char *name, int count)
{
	int64_t until = now_monotonic_ms() + SOON_MS;

	while (server->ready(name) != count)
		if (deadline_left_ms(until) == 0)
			fail_msg("%s holds %d, not %d", name, server->ready(name), count);
}

static void
bury_one(const char *body, size_t len, const char *reason)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = NULL;
	const char *const names[] = { queue };
	struct queue_delivery d = { 0 };

	assert_int_equal(queue_put(p, queue, body, len, NULL), 0);
	c = server->consumer(names, 1, 1);
	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_int_equal(queue_bury(c, &d, reason, NULL), 0);
	queue_delivery_free(&d);
}

static void
bury_abc(void)
{
	bury_one("a", 1, "first");
	bury_one("b", 1, "second");
	bury_one("c", 1, "third");
	await_ready(dead, 3);
}

static struct notes
visit(struct dead_letters *d, size_t max, struct notes n)
{
	struct err e = ERR_NONE;

	if (dead_letters_visit(d, queue, max, note_letter, &n, &e) < 0)
		fail_msg("visit: %s", e.text);
	return n;
}

static void
without_dead_letters_nothing_is_visited(void **state)
{
	assert_int_equal(visit(*state, 10, (struct notes){ 0 }).count, 0);
	assert_int_equal(server->ready(dead), -1);
	bury_one("a", 1, "x");
	await_ready(dead, 1);
	assert_int_equal(visit(*state, 10, (struct notes){ .verdicts = { DEAD_DROP } }).count, 1);
	assert_int_equal(visit(*state, 10, (struct notes){ 0 }).count, 0);
}

static void
what_is_kept_is_there_again_in_order(void **state)
{
	struct notes n;

	bury_abc();
	n = visit(*state, 10, (struct notes){ 0 });
	assert_int_equal(n.count, 3);
	assert_string_equal(n.bodies[0], "a");
	assert_string_equal(n.reasons[0], "first");
	assert_false(n.redelivered[0]);
	assert_int_equal(n.sizes[0], 1);
	await_ready(dead, 3);
	n = visit(*state, 2, (struct notes){ 0 });
	assert_int_equal(n.count, 2);
	assert_true(n.redelivered[0]);
	await_ready(dead, 3);
	n = visit(*state, 10, (struct notes){ 0 });
	assert_int_equal(n.count, 3);
	assert_string_equal(n.bodies[0], "a");
	assert_string_equal(n.bodies[1], "b");
	assert_string_equal(n.bodies[2], "c");
	assert_string_equal(n.reasons[2], "third");
	await_ready(dead, 3);
}

static void
a_dropped_message_is_gone_and_the_others_stay(void **state)
{
	struct notes n;

	bury_abc();
	visit(*state, 10, (struct notes){ .verdicts = { DEAD_KEEP, DEAD_DROP, DEAD_KEEP } });
	await_ready(dead, 2);
	n = visit(*state, 10, (struct notes){ 0 });
	assert_int_equal(n.count, 2);
	assert_string_equal(n.bodies[0], "a");
	assert_string_equal(n.bodies[1], "c");
	assert_int_equal(server->ready(queue), 0);
}

static void
a_requeued_message_is_in_its_queue_again(void **state)
{
	const char *const names[] = { queue };
	SCOPED(consumer_close_p) struct consumer *c = NULL;
	struct queue_delivery d = { 0 };

	bury_abc();
	bury_one("\0\xff{", 3, "bytes");
	await_ready(dead, 4);
	visit(*state, 10,
	      (struct notes){ .verdicts = { DEAD_KEEP, DEAD_REQUEUE, DEAD_DROP, DEAD_REQUEUE } });
	await_ready(dead, 1);
	await_ready(queue, 2);
	c = server->consumer(names, 1, 5);
	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_string_equal(d.message.body, "b");
	assert_false(d.redelivered);
	assert_int_equal(queue_ack(c, &d, NULL), 0);
	queue_delivery_free(&d);
	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_int_equal(d.message.len, 3);
	assert_memory_equal(d.message.body, "\0\xff{", 3);
	assert_int_equal(queue_ack(c, &d, NULL), 0);
	queue_delivery_free(&d);
}

static int
requeue_keyed(void *arg, const struct dead_letter *letter, struct err *e)
{
	int *seen = arg;

	(void)e;
	(*seen)++;
	assert_string_equal(letter->message.key, "65f0");
	assert_string_equal(message_header(&letter->message, "kind"), "song");
	assert_int_equal(letter->message.header_count, 1);
	assert_string_equal(letter->reason, "odd");
	return DEAD_REQUEUE;
}

static void
a_key_and_headers_outlive_death_and_return(void **state)
{
	SCOPED(publisher_close_p) struct publisher *p = server->publisher();
	SCOPED(consumer_close_p) struct consumer *c = NULL;
	const struct message_header kind = { "kind", "song" };
	const char *const names[] = { queue };
	struct queue_delivery d = { 0 };
	int seen = 0;

	assert_int_equal(
		queue_publish(p, &(struct message){ queue, "65f0", &kind, 1, "x", 1 }, NULL), 0);
	c = server->consumer(names, 1, 1);
	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_int_equal(queue_bury(c, &d, "odd", NULL), 0);
	queue_delivery_free(&d);
	await_ready(dead, 1);
	assert_int_equal(dead_letters_visit(*state, queue, 5, requeue_keyed, &seen, NULL), 0);
	assert_int_equal(seen, 1);
	assert_int_equal(queue_next(c, SOON_MS, &d, NULL), 0);
	assert_string_equal(d.message.body, "x");
	assert_string_equal(d.message.key, "65f0");
	assert_string_equal(message_header(&d.message, "kind"), "song");
	assert_int_equal(d.message.header_count, 1);
	assert_int_equal(queue_ack(c, &d, NULL), 0);
	queue_delivery_free(&d);
}

static void
a_requeue_makes_its_queue_where_it_is_gone(void **state)
{
	bury_one("a", 1, "x");
	server->remove(queue);
	await_ready(dead, 1);
	visit(*state, 1, (struct notes){ .verdicts = { DEAD_REQUEUE } });
	await_ready(queue, 1);
	await_ready(dead, 0);
}

static int
give_up(void *arg, const struct dead_letter *letter, struct err *e)
{
	int *seen = arg;

	(void)letter;
	return ++*seen == 2 ? err_set(e, ERR_INVALID, "enough") : DEAD_KEEP;
}

static void
a_visit_that_ends_early_gives_everything_back(void **state)
{
	struct err e = ERR_NONE;
	int seen = 0;

	bury_abc();
	assert_int_equal(dead_letters_visit(*state, queue, 10, give_up, &seen, &e), ERR_INVALID);
	assert_string_equal(e.text, "enough");
	assert_int_equal(seen, 2);
	await_ready(dead, 3);
	assert_string_equal(visit(*state, 10, (struct notes){ 0 }).bodies[0], "a");
}

static void
a_message_that_is_cut_stays(void **state)
{
	SCOPED_FREE char *huge = calloc(1, BIG + 1000);
	struct notes n = { .verdicts = { DEAD_REQUEUE } };

	assert_non_null(huge);
	memset(huge, 'x', BIG + 999);
	bury_one("a", 1, "x"); /* makes the dead queue */
	await_ready(dead, 1);
	visit(*state, 10, (struct notes){ .verdicts = { DEAD_DROP } });
	server->put(dead, huge, BIG + 999);
	await_ready(dead, 1);
	assert_int_equal(dead_letters_visit(*state, queue, 10, note_letter, &n, NULL),
			 ERR_TOO_LARGE);
	assert_int_equal(n.sizes[0], BIG + 999);
	assert_int_equal(n.lens[0], BIG);
	await_ready(dead, 1);
	assert_int_equal(server->ready(queue), 0);
	visit(*state, 10, (struct notes){ .verdicts = { DEAD_DROP } });
	await_ready(dead, 0);
}

#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, dead_begin, dead_end)

int
dead_suite_run(const char *name, const struct queue_suite_server *under_test,
	       struct dead_letters *(*open)(void))
{
	const struct CMUnitTest tests[] = {
		SENTENCE(without_dead_letters_nothing_is_visited),
		SENTENCE(what_is_kept_is_there_again_in_order),
		SENTENCE(a_dropped_message_is_gone_and_the_others_stay),
		SENTENCE(a_requeued_message_is_in_its_queue_again),
		SENTENCE(a_key_and_headers_outlive_death_and_return),
		SENTENCE(a_requeue_makes_its_queue_where_it_is_gone),
		SENTENCE(a_visit_that_ends_early_gives_everything_back),
		SENTENCE(a_message_that_is_cut_stays),
	};

	server = under_test;
	open_dead = open;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
