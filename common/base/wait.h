/* Waits that end by time: each of the suite's goes through here (or stop_wait, which does), so
 * that time can be simulated. Moments are those of now_monotonic_ms(). Threads: any. */
#ifndef TONEARM_BASE_WAIT_H
#define TONEARM_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* On the monotonic clock, as cond_wait_until needs it; ends by pthread_cond_destroy. */
void cond_init(pthread_cond_t *cond);
/* With the lock held: false when the deadline has passed; true when woken, perhaps for nothing. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms);
/* Whether fd can be read (or has ended) before the deadline. */
bool wait_readable_until(int fd, int64_t deadline_ms);
/* A pause between two tries, when there is nothing that could wake us earlier; signals do not
 * shorten it. */
void wait_pause(int64_t ms);

#endif
