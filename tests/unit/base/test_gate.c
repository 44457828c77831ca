/* The gate: bounds, order, deadlines, with threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/gate.h"
#include "base/scope.h"
#include "base/wait.h"

#define LONG_MS 20000
#define THREADS 8

struct visitor {
	struct gate *gate;
	pthread_t thread;
	int64_t deadline_ms;
	enum gate_pass pass;
	atomic_int *turn; /* counts those who came in */
	int came_as;
};

static void *
visit(void *arg)
{
	struct visitor *v = arg;

	v->pass = gate_enter(v->gate, v->deadline_ms);
	if (v->pass == GATE_IN) {
		v->came_as = atomic_fetch_add(v->turn, 1);
		gate_leave(v->gate);
	}
	return NULL;
}

static void
line_is(struct gate *g, int64_t wanted)
{
	int64_t deadline = now_monotonic_ms() + LONG_MS, waiting = -1;

	for (;;) {
		gate_usage(g, NULL, &waiting);
		if (waiting == wanted)
			return;
		assert_true(now_monotonic_ms() < deadline);
		wait_pause(1);
	}
}

/* Returns when it stands in the line, behind those who came before. */
static void
send_visitor(struct visitor *v, struct gate *g, atomic_int *turn)
{
	int64_t before;

	*v = (struct visitor){ .gate = g, .turn = turn, .came_as = -1 };
	v->deadline_ms = now_monotonic_ms() + LONG_MS;
	gate_usage(g, NULL, &before);
	assert_int_equal(pthread_create(&v->thread, NULL, visit, v), 0);
	line_is(g, before + 1);
}

static void
a_place_is_free_again_when_it_was_left(void **state)
{
	struct gate g;
	int64_t holders, waiters;

	(void)state;
	gate_init(&g, 2, 5);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	gate_usage(&g, &holders, &waiters);
	assert_int_equal(holders, 2);
	assert_int_equal(waiters, 0);
	assert_int_equal(gate_enter(&g, 0), GATE_LATE);
	gate_leave(&g);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	gate_leave(&g);
	gate_leave(&g);
	gate_usage(&g, &holders, NULL);
	assert_int_equal(holders, 0);
	gate_fini(&g);
}

static void
who_waits_too_long_leaves_the_line_and_the_others_stay(void **state)
{
	struct gate g;
	atomic_int turn = 0;
	struct visitor first, last;
	int64_t began = now_monotonic_ms();

	(void)state;
	gate_init(&g, 1, 9);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	send_visitor(&first, &g, &turn);
	assert_int_equal(gate_enter(&g, now_monotonic_ms() + 30), GATE_LATE);
	assert_true(now_monotonic_ms() - began >= 30);
	send_visitor(&last, &g, &turn);
	gate_leave(&g);
	assert_int_equal(pthread_join(first.thread, NULL), 0);
	assert_int_equal(pthread_join(last.thread, NULL), 0);
	assert_int_equal(first.came_as, 0);
	assert_int_equal(last.came_as, 1);
	gate_fini(&g);
}

static void
a_full_line_refuses_at_once(void **state)
{
	struct gate g;
	atomic_int turn = 0;
	struct visitor v;

	(void)state;
	gate_init(&g, 1, 1);
	assert_true(gate_has_room(&g));
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	assert_true(gate_has_room(&g));
	send_visitor(&v, &g, &turn);
	assert_false(gate_has_room(&g));
	assert_int_equal(gate_enter(&g, now_monotonic_ms() + LONG_MS), GATE_FULL);
	gate_leave(&g);
	assert_int_equal(pthread_join(v.thread, NULL), 0);
	assert_int_equal(v.pass, GATE_IN);
	gate_fini(&g);
}

static void
the_line_goes_in_in_the_order_of_arrival(void **state)
{
	struct gate g;
	atomic_int turn = 0;
	struct visitor v[THREADS];

	(void)state;
	gate_init(&g, 1, THREADS);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	for (int i = 0; i < THREADS; i++)
		send_visitor(&v[i], &g, &turn);
	gate_leave(&g);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(v[i].thread, NULL), 0);
		assert_int_equal(v[i].came_as, i);
	}
	gate_fini(&g);
}

static void
whoever_leaves_and_comes_back_does_not_overtake(void **state)
{
	struct gate g;
	atomic_int turn = 0;
	struct visitor v;

	(void)state;
	gate_init(&g, 1, 1);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	send_visitor(&v, &g, &turn);
	/* the place is the waiter's already, whether it runs yet or not */
	gate_leave(&g);
	assert_int_equal(gate_enter(&g, now_monotonic_ms() + LONG_MS), GATE_IN);
	assert_int_equal(atomic_fetch_add(&turn, 1), 1);
	gate_leave(&g);
	assert_int_equal(pthread_join(v.thread, NULL), 0);
	assert_int_equal(v.came_as, 0);
	gate_fini(&g);
}

static void
all_who_wait_are_turned_away_and_holders_stay(void **state)
{
	struct gate g;
	atomic_int turn = 0;
	struct visitor v[3];
	int64_t holders;

	(void)state;
	gate_init(&g, 1, 3);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	for (int i = 0; i < 3; i++)
		send_visitor(&v[i], &g, &turn);
	gate_turn_away(&g);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(v[i].thread, NULL), 0);
		assert_int_equal(v[i].pass, GATE_TURNED_AWAY);
	}
	gate_usage(&g, &holders, NULL);
	assert_int_equal(holders, 1);
	gate_leave(&g);
	assert_int_equal(gate_enter(&g, 0), GATE_IN);
	gate_leave(&g);
	gate_fini(&g);
}

struct crowd {
	struct gate gate;
	atomic_int inside, most, passed, late, full;
};

static void *
push_through(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 500; i++) {
		/* some deadlines end in the line: both ways out are raced */
		enum gate_pass pass = gate_enter(&c->gate, now_monotonic_ms() + i % 3);
		int now;

		if (pass != GATE_IN) {
			atomic_fetch_add(pass == GATE_FULL ? &c->full : &c->late, 1);
			continue;
		}
		now = atomic_fetch_add(&c->inside, 1) + 1;
		if (now > atomic_load(&c->most))
			atomic_store(&c->most, now);
		atomic_fetch_add(&c->passed, 1);
		atomic_fetch_sub(&c->inside, 1);
		gate_leave(&c->gate);
	}
	return NULL;
}

static void
many_threads_never_hold_more_than_there_is_and_none_is_lost(void **state)
{
	struct crowd c = { .inside = 0 };
	pthread_t threads[THREADS];
	int64_t holders, waiters;

	(void)state;
	gate_init(&c.gate, 3, 4);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, push_through, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_in_range(atomic_load(&c.most), 1, 3);
	assert_int_equal(atomic_load(&c.passed) + atomic_load(&c.late) + atomic_load(&c.full),
			 THREADS * 500);
	gate_usage(&c.gate, &holders, &waiters);
	assert_int_equal(holders, 0);
	assert_int_equal(waiters, 0);
	gate_fini(&c.gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_free_again_when_it_was_left),
		cmocka_unit_test(who_waits_too_long_leaves_the_line_and_the_others_stay),
		cmocka_unit_test(a_full_line_refuses_at_once),
		cmocka_unit_test(the_line_goes_in_in_the_order_of_arrival),
		cmocka_unit_test(whoever_leaves_and_comes_back_does_not_overtake),
		cmocka_unit_test(all_who_wait_are_turned_away_and_holders_stay),
		cmocka_unit_test(many_threads_never_hold_more_than_there_is_and_none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
