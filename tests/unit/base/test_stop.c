/* The request to stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/stop.h"

static struct stop signal_stop;

static void
on_signal(int number)
{
	(void)number;
	stop_request(&signal_stop);
}

static void
a_request_is_seen_for_ever(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct stop s;

	(void)state;
	assert_int_equal(stop_init(&s, NULL), 0);
	p.fd = s.fd;
	assert_false(stop_requested(&s));
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_false(stop_wait(&s, 0));
	stop_request(&s);
	stop_request(&s);
	assert_true(stop_requested(&s));
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(stop_wait(&s, 0));
	assert_true(stop_wait(&s, INT64_MAX));
	assert_int_equal(poll(&p, 1, 0), 1);
	stop_fini(&s);
}

static void
waiting_ends_at_its_deadline(void **state)
{
	int64_t began = now_monotonic_ms();
	struct stop s;

	(void)state;
	assert_int_equal(stop_init(&s, NULL), 0);
	assert_false(stop_wait(&s, 30));
	assert_true(now_monotonic_ms() - began >= 30);
	stop_fini(&s);
}

static void *
wait_long(void *stop)
{
	return stop_wait(stop, INT64_MAX) ? stop : NULL;
}

static void
every_waiting_thread_wakes(void **state)
{
	pthread_t threads[4];
	struct stop s;
	size_t i;

	(void)state;
	assert_int_equal(stop_init(&s, NULL), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_long, &s), 0);
	stop_request(&s);
	for (i = 0; i < 4; i++) {
		void *seen = NULL;

		assert_int_equal(pthread_join(threads[i], &seen), 0);
		assert_ptr_equal(seen, &s);
	}
	stop_fini(&s);
}

static void
a_signal_handler_may_request(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)state;
	assert_int_equal(stop_init(&signal_stop, NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_true(stop_requested(&signal_stop));
	stop_fini(&signal_stop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_seen_for_ever),
		cmocka_unit_test(waiting_ends_at_its_deadline),
		cmocka_unit_test(every_waiting_thread_wakes),
		cmocka_unit_test(a_signal_handler_may_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
