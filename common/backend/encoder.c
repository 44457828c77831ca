#include "backend/encoder.h"

#include "adapter/worker_process/worker_process.h"

int
backend_encoder_check(const char *program, struct err *e)
{
	return encoder_worker_check(program, e);
}

int
backend_encoder_new(const struct backend_encoder *config, struct encoder **ret, struct err *e)
{
	struct encoder_worker_config worker = {
		.program = config->program[0] ? config->program : NULL,
		.memory_bytes = config->memory_bytes,
		.cpu_seconds = (config->cpu_ms + 999) / 1000,
		.job_timeout_ms = config->job_timeout_ms,
		.cores = config->cores,
		.max_duration_ms = config->max_duration_ms,
	};

	return encoder_worker_new(&worker, ret, e);
}
