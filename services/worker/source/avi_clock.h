/* The time of an AVI's sound where libav 5.1 loses it: in a stream whose chunks are all of one
 * length in time, a chunk without bytes is silence of that length, and libav passes over it. The
 * chunks are counted on the way from one packet to the next. Source: the RIFF chunks of Microsoft's
 * AVI format; 'NNwb' is sound of stream NN, LIST and RIFF hold others. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_AVI_CLOCK_H
#define TONEARM_WORKER_SOURCE_AVI_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/input.h"

struct avi_clock {
	struct input *in; /* NULL = the stream's clock is libav's */
	uint32_t name;    /* of the stream's chunks */
	int64_t at;       /* the first byte that was not looked at */
	int64_t empty;    /* chunks without bytes so far */
};

/* stream: its number in the file. Nothing to do for one whose time is its count of bytes. */
void avi_clock_open(struct avi_clock *c, struct input *in, int stream);
/* Chunks without bytes in front of the packet that lies at `position`; each is one unit of the
 * stream's clock. */
int64_t avi_clock_pass(struct avi_clock *c, int64_t position);

#endif
