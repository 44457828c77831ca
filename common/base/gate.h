/* A fair, bounded gate: at most so many hold a place at once, the others wait in one line, first
 * come, first served. Who leaves hands the place to the first in line, so that nobody overtakes
 * those who wait.
 * Ownership  a value of its owner; a waiter is kept on its own thread's stack.
 * Threads    any.
 * Time       gate_enter blocks until its deadline at the latest.
 * Bounds     holders and waiters, both given to gate_init. */
#ifndef TONEARM_BASE_GATE_H
#define TONEARM_BASE_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gate_waiter;
struct gate {
	/* set once */
	int64_t max_holders, max_waiters;
	/* under lock */
	pthread_mutex_t lock;
	int64_t holders, waiters;
	struct gate_waiter *first, **last; /* in the order of arrival */
};

/* How gate_enter ended: only GATE_IN gives a place, which gate_leave gives back. */
enum gate_pass {
	GATE_IN,
	GATE_FULL,        /* the line is at its limit */
	GATE_LATE,        /* the deadline passed in the line */
	GATE_TURNED_AWAY, /* by gate_turn_away, while in the line */
};

/* For a gate without a limit of its own to its line: as many as MAX_CONNECTIONS allows threads to
 * be. */
#define GATE_LINE_OF_THREADS 100000

void gate_init(struct gate *g, int64_t max_holders, int64_t max_waiters);
/* Nobody is inside or in the line any more. */
void gate_fini(struct gate *g);
/* deadline_ms: a moment of now_monotonic_ms(). */
enum gate_pass gate_enter(struct gate *g, int64_t deadline_ms);
void gate_leave(struct gate *g);
/* Sends all who are in the line away: what they wait for would let them down as well. */
void gate_turn_away(struct gate *g);
/* False when gate_enter would end with GATE_FULL now: asked before work that would be in vain. */
bool gate_has_room(struct gate *g);
/* How many are inside and in the line now: for metrics. Each may be NULL. */
void gate_usage(struct gate *g, int64_t *ret_holders, int64_t *ret_waiters);

#endif
