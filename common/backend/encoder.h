/* The encoder that this build has: a sandboxed worker process for each conversion. */
#ifndef TONEARM_BACKEND_ENCODER_H
#define TONEARM_BACKEND_ENCODER_H

#include <stdint.h>

#include "port/encoder.h"

struct backend_encoder {
	const char *program;     /* path of converter-worker; "" = beside this executable */
	int64_t memory_bytes;    /* address space of a worker; 0 = no limit */
	int64_t cpu_ms;          /* processor time of a conversion; 0 = no limit */
	int64_t job_timeout_ms;  /* of a conversion */
	int64_t max_duration_ms; /* of the sound; longer is TOO_LARGE */
	int cores;               /* shared out among the conversions under way; 0 = all there are */
};
/* Whether program can be started: INVALID in words that stand behind a key's name. */
int backend_encoder_check(const char *program, struct err *e);
int backend_encoder_new(const struct backend_encoder *config, struct encoder **ret, struct err *e);

#endif
