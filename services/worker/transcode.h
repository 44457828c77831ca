/* One conversion from the parent's order to its report: one reading of the track into the writer of
 * the format that was asked for, or a copy of the track where it is of that format already.
 * Threads: one. */
#ifndef TONEARM_WORKER_TRANSCODE_H
#define TONEARM_WORKER_TRANSCODE_H

#include "worker/failure.h"

enum worker_failure transcode(int fd, const struct worker_start *start, struct worker_done *ret,
			      struct err *e);

#endif
