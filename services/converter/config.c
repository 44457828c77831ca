#include "converter/config.h"

#include "backend/encoder.h"
#include "base/machine/cpus.h"
#include "base/machine/memory_limit.h"

#define QUEUE(m, n, d, h) BACKEND_QUEUE_NAME_KEY(struct converter_config, m, n, d, h)
#define NUMBER(type, member, name, fallback, low, high, help)                                      \
	CONFIG_KEY_NUMBER(type, struct converter_config, member, name, fallback, low, high, help)

#define MIB (INT64_C(1) << 20)
#define SECOND INT64_C(1000)
#define JANITOR_CLIENTS 4
#define JANITOR_DEADLINE_MS 30000 /* one deletion may be of 16,000 chunks */
#define DAY (24 * 3600 * SECOND)
#define COMMAND_CLIENTS 2
#define COMMAND_DEADLINE_MS 5000

const struct config_key converter_keys[] = {
	BACKEND_BLOB_KEYS(struct converter_config, backend),
	BACKEND_LEDGER_KEYS(struct converter_config, backend),
	BACKEND_QUEUE_KEYS(struct converter_config, backend),
	QUEUE(video_queue, "VIDEO_QUEUE", "video", "queue of videos to convert"),
	QUEUE(mp3_queue, "MP3_QUEUE", "mp3", "queue that says an mp3 is ready"),
	QUEUE(failed_queue, "FAILED_QUEUE", "failed", "queue that says a video failed"),
	NUMBER(CONFIG_INTEGER, jobs, "CONVERTER_JOBS", "0", 0, 256,
	       "conversions at once; 0 = a quarter of the cores, at least 2"),
	NUMBER(CONFIG_INTEGER, cores, "CONVERTER_CORES", "0", 0, 256,
	       "cores that the conversions under way share; 0 = as many as this container has"),
	CONFIG_KEY_CHOICE(struct converter_config, order, "CONVERTER_ORDER", "fair", "fair|message",
			  "next job: the fairest, or the message's own (beside MsgQ's converter)"),
	NUMBER(CONFIG_DURATION, lease_ms, "LEASE_DURATION", "60s", 3 * SECOND, 3600 * SECOND,
	       "a job of a converter that died is free after this"),
	NUMBER(CONFIG_DURATION, job_timeout_ms, "JOB_TIMEOUT", "2h", 1 * SECOND, 7 * DAY,
	       "ceiling for one conversion"),
	NUMBER(CONFIG_DURATION, max_duration_ms, "MAX_AUDIO_DURATION", "24h", 1 * SECOND, 30 * DAY,
	       "longest sound track that is converted"),
	NUMBER(CONFIG_BYTES, worker_memory, "WORKER_MEMORY", "768MiB", 0, INT64_MAX,
	       "address space of one conversion, less where memory is short; 0 = no limit"),
	NUMBER(CONFIG_DURATION, worker_cpu_ms, "WORKER_CPU_TIME", "2h", 0, 30 * DAY,
	       "processor time of one conversion; 0 = no limit"),
	CONFIG_KEY_TEXT_CHECKED(struct converter_config, worker, "CONVERTER_WORKER", "",
				backend_encoder_check,
				"path of converter-worker; empty = beside this program"),
	NUMBER(CONFIG_DURATION, retention_video_ms, "RETENTION_VIDEO", "0", 0, 3650 * DAY,
	       "`converter janitor` removes videos this long after their job's end; 0 = never"),
	NUMBER(CONFIG_DURATION, retention_audio_ms, "RETENTION_AUDIO", "0", 0, 3650 * DAY,
	       "`converter janitor` removes mp3s this long after their job's end; 0 = never"),
	NUMBER(CONFIG_DURATION, janitor_grace_ms, "JANITOR_GRACE", "24h", 1 * SECOND, 365 * DAY,
	       "an upload without a new chunk, or an attempt's output, counts as left after this"),
	CONFIG_END,
};

int
converter_stores_open(const struct converter_config *config, struct converter_stores *s,
		      struct err *e)
{
	const struct backend_limits limits = { JANITOR_CLIENTS, JANITOR_DEADLINE_MS };
	int r;

	if ((r = backend_new(&config->backend, &limits, &s->backend, e)) < 0 ||
	    (r = backend_blobs(s->backend, "videos", &s->videos, e)) < 0 ||
	    (r = backend_blobs(s->backend, "mp3s", &s->mp3s, e)) < 0)
		return r;
	return backend_ledger(s->backend, &s->ledger, e);
}

void
converter_stores_close(struct converter_stores *s)
{
	backend_close(s->backend);
}

int
converter_ledger_open(const struct converter_config *config, struct backend **ret_backend,
		      struct ledger **ret_ledger, struct err *e)
{
	const struct backend_limits limits = { COMMAND_CLIENTS, COMMAND_DEADLINE_MS };
	SCOPED(backend_close_p) struct backend *backend = NULL;
	int r;

	if ((r = backend_new(&config->backend, &limits, &backend, e)) < 0 ||
	    (r = backend_ledger(backend, ret_ledger, e)) < 0)
		return r;
	*ret_backend = TAKE(backend);
	return 0;
}

int
converter_dead_letters_new(const struct converter_config *config, struct dead_letters **ret,
			   struct err *e)
{
	return backend_dead_letters_new(&config->backend, COMMAND_DEADLINE_MS, ret, e);
}

int
converter_capacity(const struct converter_config *config, struct capacity *ret_wish,
		   struct capacity *ret_fit, struct err *e)
{
	*ret_wish = (struct capacity){
		.jobs = config->jobs > 0 ? (int)config->jobs : capacity_default_jobs(cpu_count()),
		.worker_memory = config->worker_memory,
	};
	return capacity_fit(ret_wish, memory_limit(), ret_fit, e);
}

int
converter_encoder_new(const struct converter_config *config, int64_t worker_memory,
		      struct encoder **ret, struct err *e)
{
	const struct backend_encoder worker = {
		.program = config->worker,
		.memory_bytes = worker_memory,
		.cpu_ms = config->worker_cpu_ms,
		.job_timeout_ms = config->job_timeout_ms,
		.max_duration_ms = config->max_duration_ms,
		.cores = (int)config->cores,
	};

	return backend_encoder_new(&worker, ret, e);
}
