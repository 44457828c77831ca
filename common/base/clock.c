#include "base/clock.h"

#include <limits.h>
#include <string.h>
#include <time.h>

static int64_t
clock_read_ms(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t
clock_system_monotonic_ms(const struct clock *c)
{
	(void)c;
	return clock_read_ms(CLOCK_MONOTONIC);
}

static int64_t
clock_system_unix_ms(const struct clock *c)
{
	(void)c;
	return clock_read_ms(CLOCK_REALTIME);
}

const struct clock *
clock_system(void)
{
	static const struct clock machine = { clock_system_monotonic_ms, clock_system_unix_ms };

	return &machine;
}

int64_t
now_monotonic_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

int64_t
now_unix_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

void
clock_text(char ret[CLOCK_TEXT_SIZE], int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	memcpy(ret, "-", 2);
	if (unix_ms > 0 && gmtime_r(&seconds, &tm))
		(void)strftime(ret, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int
deadline_left_ms(int64_t deadline_ms)
{
	int64_t now = now_monotonic_ms();

	if (deadline_ms <= now)
		return 0;
	return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}
