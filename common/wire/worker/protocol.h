/* What converter-worker and its parent say to each other over their one socket: messages of a
 * header and a payload, little endian. Pure bytes <-> struct, no I/O. Threads: any.
 *
 * parent -> worker: START once, then one DATA for each READ (shorter than asked only at the end)
 *
 * worker -> parent: READ, WRITE (appends), HOLD once, PATCH (changes bytes that HOLD spoke of),
 * PROGRESS, then what was found in the file (wire/worker/findings.h), and at last DONE or FAIL
 *
 * The worker reads hostile files, so the parent takes every message as hostile: a header is read
 * only with a known type, a length in that type's range and an offset only where one belongs. A
 * worker names a failure by number; the words for users are the parent's own. */
#ifndef TONEARM_WIRE_WORKER_PROTOCOL_H
#define TONEARM_WIRE_WORKER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/job.h"
#include "model/media_spec.h"

#define WORKER_PROTOCOL_VERSION 10
#define WORKER_SOCKET 3 /* the worker's only descriptor but for /dev/null */
#define WORKER_HEADER_BYTES 16
#define WORKER_PAYLOAD_MAX (256 * 1024)         /* bytes */
#define WORKER_HOLD_MAX 4096                    /* bytes that PATCH may reach */
#define WORKER_TAG_MAX ((4 << 20) + 128 * 1024) /* of the output in front of them */
#define WORKER_START_BYTES 44
#define WORKER_THREADS_MAX 64
#define WORKER_PROGRESS_BYTES 12
#define WORKER_DONE_BYTES 28
#define WORKER_DETAIL_MAX 200

enum worker_message {
	WORKER_START = 1,
	WORKER_DATA = 2,
	WORKER_READ = 16,
	WORKER_WRITE = 17,
	WORKER_PATCH = 18,
	WORKER_PROGRESS = 19,
	WORKER_DONE = 20,
	WORKER_FAIL = 21,
	WORKER_HOLD = 22,
	WORKER_WARNING = 23,
	WORKER_TRACK = 24,
};
enum worker_direction { WORKER_TO_WORKER, WORKER_TO_PARENT };

/* Why a worker could not make the audio. */
enum worker_failure {
	WORKER_FAILURE_NONE = 0,
	WORKER_NOT_MEDIA,
	WORKER_NO_AUDIO,
	WORKER_EMPTY,
	WORKER_TRUNCATED,
	WORKER_DAMAGED,
	WORKER_UNSUPPORTED,
	WORKER_TOO_LONG,
	WORKER_OUT_OF_MEMORY,
	WORKER_BROKEN,        /* a fault of the worker itself */
	WORKER_PROTECTED,     /* encrypted */
	WORKER_UNFINISHED,    /* an mp4 without its index */
	WORKER_UNKNOWN_FILE,  /* a format that is not read; the detail is its name */
	WORKER_UNKNOWN_CODEC, /* the sound track's; the detail is its name */
};
#define WORKER_FAILURES (WORKER_UNKNOWN_CODEC + 1)

/* Exit codes of the worker. */
#define WORKER_EXIT_OK 0      /* DONE or FAIL was sent */
#define WORKER_EXIT_USAGE 100 /* bad arguments, or no socket */
#define WORKER_EXIT_LOST 111  /* the parent went away or broke the protocol */

struct worker_header {
	enum worker_message type;
	uint32_t len;    /* of the payload */
	uint64_t offset; /* READ: in the input; PATCH: in the output; else 0 */
};
struct worker_start {
	uint32_t version;
	struct media_spec spec; /* of the result; settled */
	int64_t input_bytes;
	int64_t max_samples; /* per channel, of the result */
	uint32_t threads;    /* that may encode: 1 to WORKER_THREADS_MAX */
};
struct worker_progress {
	double fraction; /* 0 to 1; -1 = unknown */
	int64_t samples; /* per channel, of the result, so far */
};
struct worker_done {
	int64_t samples; /* per channel, of the result */
	uint32_t sample_rate;
	bool copied;                  /* the source's frames as they were, not encoded anew */
	struct job_loudness loudness; /* to the hundredth */
};

void worker_header_write(const struct worker_header *header, uint8_t ret[WORKER_HEADER_BYTES]);
/* CORRUPT unless such a message may travel that way. */
int worker_header_read(const uint8_t bytes[WORKER_HEADER_BYTES], enum worker_direction direction,
		       struct worker_header *ret, struct err *e);

void worker_start_write(const struct worker_start *start, uint8_t ret[WORKER_START_BYTES]);
/* CORRUPT on another version, a result that cannot be made, or values out of range. */
int worker_start_read(const uint8_t bytes[WORKER_START_BYTES], struct worker_start *ret,
		      struct err *e);
void worker_done_write(const struct worker_done *done, uint8_t ret[WORKER_DONE_BYTES]);
int worker_done_read(const uint8_t bytes[WORKER_DONE_BYTES], struct worker_done *ret,
		     struct err *e);

/* READ's payload, and HOLD's: how many bytes, 1 to WORKER_PAYLOAD_MAX. HOLD speaks of those that
 * are written next. */
void worker_count_write(uint32_t count, uint8_t ret[4]);
int worker_count_read(const uint8_t bytes[4], uint32_t *ret, struct err *e);
void worker_progress_write(const struct worker_progress *progress,
			   uint8_t ret[WORKER_PROGRESS_BYTES]);
int worker_progress_read(const uint8_t bytes[WORKER_PROGRESS_BYTES], struct worker_progress *ret,
			 struct err *e);
/* FAIL's payload: the failure and a few words for the operator's log (cut, unprintable bytes become
 * '?'). Both give the payload's length; write needs 4 + WORKER_DETAIL_MAX bytes. */
size_t worker_fail_write(enum worker_failure failure, const char *detail, uint8_t *ret);
int worker_fail_read(const uint8_t *bytes, size_t len, enum worker_failure *ret,
		     char ret_detail[WORKER_DETAIL_MAX + 1], struct err *e);

#endif
