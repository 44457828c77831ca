/* The input as libav sees it: one seekable AVIO whose reads are requests over the socket. libav
 * gets no protocol and no other file. Threads: one. */
#ifndef TONEARM_CONVERTER_WORKER_INPUT_H
#define TONEARM_CONVERTER_WORKER_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/scope.h"
#include "converter/worker/failure.h"

struct AVIOContext; /* of libav */
struct input {
	struct AVIOContext *avio;
	int fd;
	int64_t size, position; /* bytes */
	bool end_passed;        /* a seek went behind the end: the file points to bytes it lacks */
};

enum worker_failure input_open(int fd, int64_t size, struct input **ret, struct err *e);
void input_close(struct input *in);
SCOPE_DEFINE(struct input, input_close)

#endif
