/* The converter's configuration. */
#ifndef TONEARM_CONVERTER_CONFIG_H
#define TONEARM_CONVERTER_CONFIG_H

#include "backend/backend.h"
#include "converter/capacity.h"
#include "daemon/daemon.h"
#include "port/encoder.h"

struct converter_config {
	struct daemon_config daemon;
	struct backend_config backend;
	char video_queue[256], mp3_queue[256], failed_queue[256];
	int64_t jobs, cores;
	int order; /* enum converter_order */
	int64_t lease_ms, job_timeout_ms, max_duration_ms;
	int64_t worker_memory, worker_cpu_ms;
	int64_t retention_video_ms, retention_audio_ms, janitor_grace_ms;
	char worker[1024];
};

extern const struct config_key converter_keys[];

/* The job database as config says, for a command: closed with *ret_backend. */
int converter_ledger_open(const struct converter_config *config, struct backend **ret_backend,
			  struct ledger **ret_ledger, struct err *e);
/* All that the janitor cleans. Zero it first; free it in any case. */
struct converter_stores {
	struct backend *backend;
	struct blob_store *videos, *mp3s;
	struct ledger *ledger;
};
int converter_stores_open(const struct converter_config *config, struct converter_stores *s,
			  struct err *e);
void converter_stores_close(struct converter_stores *s);
/* How many jobs at once config asks for, and what of them fits into the memory there is; INVALID
 * when not one does. */
int converter_capacity(const struct converter_config *config, struct capacity *ret_wish,
		       struct capacity *ret_fit, struct err *e);
int converter_encoder_new(const struct converter_config *config, int64_t worker_memory,
			  struct encoder **ret, struct err *e);
int converter_dead_letters_new(const struct converter_config *config, struct dead_letters **ret,
			       struct err *e);

#endif
