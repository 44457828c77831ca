/* Encoder that runs each conversion in its own converter-worker process over a socket.
 * See port/encoder.h for the contract and wire/worker/protocol.h for the bytes. */
#ifndef TONEARM_ADAPTER_WORKER_PROCESS_WORKER_PROCESS_H
#define TONEARM_ADAPTER_WORKER_PROCESS_WORKER_PROCESS_H

#include <stdint.h>

#include "port/encoder.h"

struct encoder_worker_config {
	const char *program;  /* path of converter-worker; NULL = beside this executable */
	int64_t memory_bytes; /* address-space limit of a worker; 0 = none (sanitizers) */
	int64_t cpu_seconds;
	int64_t job_timeout_ms;
	int cores;               /* shared out among the conversions under way; 0 = all there are */
	int64_t max_duration_ms; /* of the sound; longer is TOO_LARGE */
};
/* INVALID when program cannot be started. */
int encoder_worker_check(const char *program, struct err *e);
int encoder_worker_new(const struct encoder_worker_config *config, struct encoder **ret,
		       struct err *e);

#endif
