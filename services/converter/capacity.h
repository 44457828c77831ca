/* How many conversions fit into the container, so that the kernel need not kill all of it for one
 * of them: the workers' limits and the daemon's own share stay below a part of the memory. */
#ifndef TONEARM_CONVERTER_CAPACITY_H
#define TONEARM_CONVERTER_CAPACITY_H

#include <stdint.h>

#include "base/err.h"

/* Of the memory; the rest is for page tables, sockets and what else the kernel counts. */
#define CAPACITY_PERCENT 80
/* The daemon with what it holds for each conversion. */
#define CAPACITY_DAEMON_BYTES (INT64_C(64) << 20)
/* With less no file is converted on even one thread. */
#define CAPACITY_WORKER_MIN_BYTES (INT64_C(256) << 20)

struct capacity {
	int jobs;              /* at once */
	int64_t worker_memory; /* limit of one; 0 = none */
};

/* What of the wish fits into memory bytes: fewer jobs; of a single one the limit shrinks, to no
 * less than CAPACITY_WORKER_MIN_BYTES or what was wished. INVALID when even that is too much.
 * Workers without a limit fit always: nothing is known of them. */
int capacity_fit(const struct capacity *wish, int64_t memory, struct capacity *ret, struct err *e);
/* How many jobs at once nobody asked for otherwise. */
int capacity_default_jobs(int cores);

#endif
