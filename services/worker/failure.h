/* How the worker's functions fail: the result says what the parent is told, struct err holds the
 * words for the operator's log. */
#ifndef TONEARM_WORKER_FAILURE_H
#define TONEARM_WORKER_FAILURE_H

#include "base/err.h"
#include "wire/worker/protocol.h"

/* Stores the words; returns failure. */
enum worker_failure failure_set(struct err *e, enum worker_failure failure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As failure_set for a negative libav result: failure, but where it says that there is no memory,
 * OUT_OF_MEMORY, or UNSUPPORTED when there is and the file asks for more than it may have. */
enum worker_failure failure_av(struct err *e, enum worker_failure failure, const char *what,
			       int av_result);

#endif
