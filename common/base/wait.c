#include "base/wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/clock.h"

static struct timespec
wait_moment(int64_t ms)
{
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
				  .tv_nsec = (long)(ms % 1000) * 1000000 };
}

void
cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

bool
cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms)
{
	struct timespec at = wait_moment(deadline_ms);

	return pthread_cond_timedwait(cond, lock, &at) == 0;
}

bool
wait_readable_until(int fd, int64_t deadline_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int left, n;

	do {
		left = deadline_left_ms(deadline_ms);
		n = poll(&p, 1, left);
	} while ((n == 0 && left > 0) || (n < 0 && errno == EINTR));
	return n > 0;
}

void
wait_pause(int64_t ms)
{
	struct timespec until = wait_moment(now_monotonic_ms() + ms);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}
