#include "converter/capacity.h"

#include <inttypes.h>

int
capacity_default_jobs(int cores)
{
	return cores / 4 > 2 ? cores / 4 : 2;
}

int
capacity_fit(const struct capacity *wish, int64_t memory, struct capacity *ret, struct err *e)
{
	int64_t room = memory / 100 * CAPACITY_PERCENT - CAPACITY_DAEMON_BYTES;
	int64_t least = wish->worker_memory < CAPACITY_WORKER_MIN_BYTES ? wish->worker_memory
									: CAPACITY_WORKER_MIN_BYTES;
	struct capacity fit = *wish;

	if (wish->worker_memory > 0) {
		if (room < least)
			return err_set(e, ERR_INVALID,
				       "%" PRId64 " MiB of memory are too little: one conversion "
				       "takes %" PRId64 " MiB, the converter %" PRId64
				       " MiB, and that may be %d %% of it",
				       memory >> 20, least >> 20, CAPACITY_DAEMON_BYTES >> 20,
				       CAPACITY_PERCENT);
		if (fit.worker_memory > room)
			fit.worker_memory = room;
		if (fit.jobs > room / fit.worker_memory)
			fit.jobs = (int)(room / fit.worker_memory);
	}
	*ret = fit;
	return 0;
}
