/* What a process gives up before it touches hostile bytes. Each call is for good. */
#ifndef TONEARM_SANDBOX_RLIMITS_H
#define TONEARM_SANDBOX_RLIMITS_H

#include <stdint.h>

#include "base/err.h"

struct rlimits {
	int64_t memory_bytes; /* address space; 0 = unlimited */
	int64_t cpu_seconds;  /* SIGXCPU at the limit, SIGKILL 5 s later; 0 = unlimited */
	int64_t descriptors;  /* open at once */
};
/* Sets them, and no file may grow, no core is dumped. */
int rlimits_apply(const struct rlimits *limits, struct err *e);
/* Not to be traced or dumped, no new privileges, killed when its parent's thread ends. */
int process_harden(struct err *e);

#endif
