/* The request to stop: set once, seen by every thread, pollable.
 * Threads: any may ask, request and wait. stop_request is async-signal-safe. */
#ifndef TONEARM_BASE_STOP_H
#define TONEARM_BASE_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct stop {
	int fd; /* eventfd, readable for ever once requested */
	atomic_bool requested;
};

int stop_init(struct stop *s, struct err *e);
void stop_fini(struct stop *s);
void stop_request(struct stop *s);
bool stop_requested(const struct stop *s);
/* Waits at most timeout_ms (>= 0) for the request; true when it was made. */
bool stop_wait(const struct stop *s, int64_t timeout_ms);

#endif
