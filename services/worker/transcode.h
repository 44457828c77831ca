/* One conversion from the parent's order to its report. */
#ifndef TONEARM_WORKER_TRANSCODE_H
#define TONEARM_WORKER_TRANSCODE_H

#include "worker/failure.h"

enum worker_failure transcode(int fd, const struct worker_start *spec, struct worker_done *ret,
			      struct err *e);

#endif
