/* A lease kept alive: a thread renews it while work goes on, and says when it is lost. */
#ifndef TONEARM_FLOW_LEASE_H
#define TONEARM_FLOW_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "port/job_life.h"

struct lease_keeper;

/* Renews every ms / 3, and once a second while progress is told, which travels with it. jobs is
 * borrowed until lease_keeper_stop. */
int lease_keeper_start(struct job_life *jobs, const struct job_lease *lease, int64_t ms,
		       struct lease_keeper **ret, struct err *e);
/* Threads: any. */
void lease_keeper_progress(struct lease_keeper *k, const struct job_progress *progress);
/* True once a renewal answered CONFLICT, or none succeeded until the lease ran out by our own
 * clock: then nothing may be written under it any more. */
bool lease_keeper_lost(struct lease_keeper *k);
void lease_keeper_stop(struct lease_keeper *k);
SCOPE_DEFINE(struct lease_keeper, lease_keeper_stop)

#endif
