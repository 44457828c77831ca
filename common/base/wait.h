/* Condition variables that wait until a moment of now_monotonic_ms(). Threads: any. */
#ifndef TONEARM_BASE_WAIT_H
#define TONEARM_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* On the monotonic clock, as cond_wait_until needs it; ends by pthread_cond_destroy. */
void cond_init(pthread_cond_t *cond);
/* With the lock held: false when the deadline has passed; true when woken, perhaps for nothing. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms);

#endif
