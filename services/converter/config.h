/* The converter's configuration. */
#ifndef TONEARM_CONVERTER_CONFIG_H
#define TONEARM_CONVERTER_CONFIG_H

#include "adapter/gridfs/gridfs.h"
#include "adapter/worker_process/worker_process.h"
#include "adapter/mongo_jobs/mongo_jobs.h"
#include "adapter/amqp/amqp.h"
#include "converter/capacity.h"
#include "daemon/daemon.h"

struct converter_config {
	struct daemon_config daemon;
	struct secret mongodb_uri, amqp_url;
	char video_queue[256], mp3_queue[256], failed_queue[256];
	int64_t jobs, cores;
	int order; /* enum converter_order */
	int64_t lease_ms, job_timeout_ms, max_duration_ms;
	int64_t worker_memory, worker_cpu_ms;
	int64_t retention_video_ms, retention_audio_ms, janitor_grace_ms;
	char worker[1024];
};

extern const struct config_key converter_keys[];

/* The ledger as config says, for a command: both are the caller's to free, the ledger first. */
int converter_ledger_new(const struct converter_config *config, struct mongo_pool **ret_pool,
			 struct ledger **ret_ledger, struct err *e);
/* All that the janitor cleans. Zero it first; free it in any case. */
struct converter_stores {
	struct mongo_pool *pool;
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
