#include "adapter/worker_process/worker_process.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapter/worker_process/private.h"
#include "base/clock.h"
#include "base/machine/cpus.h"
#include "base/text/str.h"

/* A worker that said its last word only has to give its memory back. */
#define GRACE_MS 2000

struct encoder_worker {
	struct encoder port;
	struct encoder_worker_config config;
	atomic_int running;
	char program[PATH_MAX];
};

static struct encoder_worker *
encoder_worker_of(struct encoder *port)
{
	return CONTAINER_OF(port, struct encoder_worker, port);
}

/* DONE counts only with a clean exit: what a crashing worker reports is not to be believed. */
static int
encoder_worker_conclude(const struct worker_session *s, int status, bool killed,
			struct job_error *ret_why, struct err *e)
{
	switch (s->end) {
	case SESSION_OURS:
		return s->result;
	case SESSION_TIMEOUT:
		return worker_timeout_explain(ret_why, e);
	case SESSION_FAILED:
		return worker_failure_explain(s->failure, s->detail, ret_why, e);
	case SESSION_VIOLATION: {
		struct err what = *e;
		return worker_failure_explain(WORKER_BROKEN, what.text, ret_why, e);
	}
	case SESSION_CLOSED:
	case SESSION_DONE:
		break;
	}
	if (killed)
		return worker_failure_explain(WORKER_BROKEN, "it did not end", ret_why, e);
	if (s->end == SESSION_CLOSED || status != 0)
		return worker_end_explain(status, ret_why, e);
	return 0;
}

/* Address space of a worker that does nothing yet (libraries above all), and what one more encoder
 * thread takes at most: stack, samples and frames of a block. */
#define WORKER_BASE_BYTES (INT64_C(200) << 20)
#define WORKER_THREAD_BYTES (INT64_C(16) << 20)

/* Half of what the limit leaves is for threads, half for the file: the index of ten hours of video
 * takes 150 MiB. */
static int64_t
threads_in_memory(int64_t limit)
{
	return limit > 0 ? (limit - WORKER_BASE_BYTES) / 2 / WORKER_THREAD_BYTES
			 : WORKER_THREADS_MAX;
}

/* The cores are shared out among the conversions under way. */
static uint32_t
threads_for_one(const struct encoder_worker *w, int running)
{
	int64_t threads = w->config.cores / (running > 0 ? running : 1);
	int64_t fit = threads_in_memory(w->config.memory_bytes);

	if (threads > fit)
		threads = fit;
	if (threads > WORKER_THREADS_MAX)
		threads = WORKER_THREADS_MAX;
	return threads > 1 ? (uint32_t)threads : 1;
}

static struct worker_session *
worker_session_new(const struct encoder_worker *w, const struct encode_order *order)
{
	struct worker_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->in = order->in;
	s->position = -1;
	s->out = order->out;
	s->spec = order->spec;
	s->watch = order->watch;
	s->deadline_ms = now_monotonic_ms() + w->config.job_timeout_ms;
	s->max_samples = w->config.max_duration_ms / 1000 * order->spec->sample_rate;
	s->max_output_bytes = media_spec_bytes_max(order->spec, s->max_samples);
	return s;
}

static int
encoder_worker_run(const struct encoder_worker *w, struct worker_session *s,
		   struct encode_report *ret, struct job_error *ret_why, struct err *e)
{
	struct err local = ERR_NONE;
	struct worker_child child;
	bool said_all, killed;
	int status, r;

	if ((r = worker_child_start(w->program, w->config.memory_bytes, w->config.cpu_seconds,
				    &child, e)) < 0)
		return r;
	s->fd = child.fd;
	worker_session_serve(s, &local);
	said_all = s->end == SESSION_DONE || s->end == SESSION_FAILED || s->end == SESSION_CLOSED;
	status = worker_child_end(&child, said_all ? GRACE_MS : 0, &killed);
	if ((r = encoder_worker_conclude(s, status, killed, ret_why, &local)) < 0)
		return err_set(e, r, "%s", local.text);
	*ret = (struct encode_report){
		.duration_s = (double)s->report.samples / s->spec->sample_rate,
		.samples = s->report.samples,
		.bytes_written = s->written,
		.bytes_read = s->in->fetched,
		.copied = s->report.copied,
		.loudness = s->report.loudness,
		.warnings = s->warnings,
		.tracks = s->tracks,
	};
	return 0;
}

static int
encoder_worker_encode(struct encoder *port, const struct encode_order *order,
		      struct encode_report *ret, struct job_error *ret_why, struct err *e)
{
	struct encoder_worker *w = encoder_worker_of(port);
	SCOPED_FREE struct worker_session *s = worker_session_new(w, order);
	int r;

	*ret_why = (struct job_error){ 0 };
	if (!s)
		return worker_failure_explain(WORKER_OUT_OF_MEMORY, "in the parent", ret_why, e);
	s->threads = threads_for_one(w, atomic_fetch_add(&w->running, 1) + 1);
	r = encoder_worker_run(w, s, ret, ret_why, e);
	(void)atomic_fetch_sub(&w->running, 1);
	return r;
}

static void
encoder_worker_close(struct encoder *port)
{
	free(encoder_worker_of(port));
}

static const struct encoder_ops encoder_worker_ops = {
	.encode = encoder_worker_encode,
	.close = encoder_worker_close,
};

/* The path of converter-worker beside the running program. */
static int
encoder_worker_find_program(char *ret, size_t size, struct err *e)
{
	static const char name[] = "converter-worker";
	ssize_t len = readlink("/proc/self/exe", ret, size);
	char *slash;

	if (len < 0)
		return err_errno(e, ERR_INTERNAL, errno, "/proc/self/exe");
	if ((size_t)len >= size)
		return err_set(e, ERR_INTERNAL, "the path of this program is too long");
	ret[len] = '\0';
	slash = strrchr(ret, '/');
	if (!slash || (size_t)(slash + 1 - ret) + sizeof name > size)
		return err_set(e, ERR_INTERNAL, "the path of this program is too long");
	memcpy(slash + 1, name, sizeof name);
	return 0;
}

int
encoder_worker_check(const char *program, struct err *e)
{
	return access(program, X_OK) < 0 ? err_errno(e, ERR_INVALID, errno, program) : 0;
}

int
encoder_worker_new(const struct encoder_worker_config *config, struct encoder **ret, struct err *e)
{
	SCOPED_FREE struct encoder_worker *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return err_set(e, ERR_NO_MEMORY, "encoder: no memory");
	r = config->program ? str_copy(w->program, sizeof w->program, config->program, e)
			    : encoder_worker_find_program(w->program, sizeof w->program, e);
	if (r < 0)
		return r;
	if ((r = encoder_worker_check(w->program, e)) < 0)
		return r;
	w->config = *config;
	w->config.program = NULL;
	if (w->config.cores <= 0)
		w->config.cores = cpu_count();
	w->port.ops = &encoder_worker_ops;
	*ret = &TAKE(w)->port;
	return 0;
}
