/* The input as libav sees it: one seekable AVIO whose reads are requests over the socket, each for
 * one part of the input; the parts used last are kept, so that none is asked for twice. libav gets
 * no protocol and no other file. Threads: one. */
#ifndef TONEARM_WORKER_INPUT_H
#define TONEARM_WORKER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/scope.h"
#include "worker/failure.h"

#define INPUT_PART_BYTES (255 * 1024) /* a GridFS chunk */
#define INPUT_PARTS 8
#define INPUT_PARTS_MAX 64 /* almost 16 MiB */

struct AVIOContext; /* of libav */
struct input_part {
	uint8_t *data; /* NULL = not in use */
	size_t len;
	int64_t first; /* byte of the input */
	uint64_t used; /* the larger, the later */
};
/* Four bytes that libav is to read as others than they are. */
struct input_patch {
	int64_t at; /* 0 = none */
	uint8_t bytes[4];
};
#define INPUT_PATCHES 3
struct input {
	struct AVIOContext *avio;
	int fd;
	int64_t start; /* bytes in front that are passed over; all else counts from there */
	int64_t size, position; /* bytes */
	bool end_passed;        /* a seek went behind the end: the file points to bytes it lacks */
	int64_t declared_end;   /* where the file says that it ends; -1 = it does not */
	clock_t cpu_limit;      /* 0 = none */
	uint64_t uses;
	bool peek_failed;
	struct input_patch patches[INPUT_PATCHES];
	size_t part_count;
	struct input_part parts[INPUT_PARTS_MAX];
};

enum worker_failure input_open(int fd, int64_t size, struct input **ret, struct err *e);
/* Keeps all that is read from now on, of an input that is not too large for it. */
void input_keep(struct input *in);
/* Back to the start, as if nothing had been read; what is kept stays. */
void input_rewind(struct input *in);
/* From now on the input begins so many bytes later, or earlier again, and is read anew. */
void input_skip(struct input *in, int64_t bytes);
/* Bytes as they are in the file, beside what libav reads; false, and noted in peek_failed, when it
 * ends before or there is no memory. */
bool input_peek(struct input *in, int64_t offset, void *to, size_t len);
/* From now on reading fails once the process has worked for that many seconds more; 0 = no limit.
 */
void input_hurry(struct input *in, int cpu_seconds);
/* Whether it has; for AVIOInterruptCB. arg: the input. */
int input_interrupted(void *arg);
void input_close(struct input *in);
SCOPE_DEFINE(struct input, input_close)

#endif
