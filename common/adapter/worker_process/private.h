/* Shared by the files of the encoder_worker adapter alone. */
#ifndef TONEARM_ADAPTER_WORKER_PROCESS_PRIVATE_H
#define TONEARM_ADAPTER_WORKER_PROCESS_PRIVATE_H

#include <stdint.h>
#include <sys/types.h>

#include "adapter/worker_process/worker_process.h"
#include "wire/worker/findings.h"
#include "wire/worker/protocol.h"

/* A running worker and our end of its socket. */
struct worker_child {
	pid_t pid;
	int fd;
};

/* Starts program with that socket and /dev/null alone, an empty environment, default signals. */
int worker_child_start(const char *program, int64_t memory_bytes, int64_t cpu_seconds,
		       struct worker_child *ret, struct err *e);
/* Closes the socket, waits grace_ms for the process to end by itself, kills it, reaps it. Returns
 * the status of waitpid; *ret_killed says whether it had to be killed. */
int worker_child_end(struct worker_child *c, int grace_ms, bool *ret_killed);

/* How serving a worker ended. */
enum session_end {
	SESSION_DONE,      /* DONE; report is set */
	SESSION_FAILED,    /* FAIL; failure and detail are set */
	SESSION_CLOSED,    /* the worker went away without a word */
	SESSION_VIOLATION, /* it said what it may not */
	SESSION_TIMEOUT,
	SESSION_OURS, /* the reader, the writer or the caller ended it; result is set */
};

struct worker_session {
	/* set once */
	int fd;
	struct blob_reader *in;
	struct blob_writer *out;
	const struct media_spec *spec;
	const struct encode_watch *watch;
	int64_t deadline_ms; /* monotonic */
	int64_t max_output_bytes, max_samples;
	uint32_t threads;
	/* while it runs */
	int64_t position, written; /* of the reader; to the writer */
	int64_t next_watch_ms;
	struct encode_progress progress;
	/* how it ended */
	enum session_end end;
	int result;
	struct worker_done report;
	struct warnings warnings;
	struct tracks tracks;
	enum worker_failure failure;
	char detail[WORKER_DETAIL_MAX + 1];
	uint8_t payload[WORKER_PAYLOAD_MAX];
};

/* Serves the worker until it ends in one way or another; e holds the words for SESSION_OURS and
 * SESSION_VIOLATION. */
void worker_session_serve(struct worker_session *s, struct err *e);

/* The error code of a failure, with code and words for the user, and the words for the log. */
int worker_failure_explain(enum worker_failure failure, const char *detail,
			   struct job_error *ret_why, struct err *e);
int worker_timeout_explain(struct job_error *ret_why, struct err *e);
/* The same for a worker that ended with that status of waitpid and without a word. */
int worker_end_explain(int status, struct job_error *ret_why, struct err *e);

#endif
