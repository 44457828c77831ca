/* Time. Deadlines use the monotonic clock; what is shown or signed uses the wall clock.
 * Code that decides by time takes a struct clock, so that tests inject one. Threads: any. */
#ifndef TONEARM_BASE_CLOCK_H
#define TONEARM_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*monotonic_ms)(const struct clock *);
	int64_t (*unix_ms)(const struct clock *);
};

/* The machine's clock; lives for ever. */
const struct clock *clock_system(void);

static inline int64_t
clock_monotonic_ms(const struct clock *c)
{
	return c->monotonic_ms(c);
}
static inline int64_t
clock_unix_ms(const struct clock *c)
{
	return c->unix_ms(c);
}

/* Short forms on the system clock. */
int64_t now_monotonic_ms(void);
int64_t now_unix_ms(void);
#define CLOCK_TEXT_SIZE 32
/* 2026-01-31T12:00:00Z, or "-" of no time (0 and less). */
void clock_text(char ret[CLOCK_TEXT_SIZE], int64_t unix_ms);
/* Milliseconds left until a monotonic deadline, never negative, at most INT_MAX (for poll). */
int deadline_left_ms(int64_t deadline_ms);

#endif
