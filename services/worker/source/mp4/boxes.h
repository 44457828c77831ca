/* Where the tables of an mp4's one sound track lie in the file: boxes of ISO/IEC 14496-12, found by
 * their names. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_MP4_BOXES_H
#define TONEARM_WORKER_SOURCE_MP4_BOXES_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/input.h"

enum mp4_leaf {
	MP4_MDHD,
	MP4_HDLR,
	MP4_ELST, /* there may be none */
	MP4_STSD,
	MP4_STTS,
	MP4_STSC,
	MP4_STSZ,
	MP4_STCO, /* or CO64 */
	MP4_CO64,
	MP4_LEAVES
};
struct mp4_span {
	int64_t from, to; /* bytes of the file, behind the box's head; from 0 = not there */
};
#define MP4_NAME(a, b, c, d)                                                                       \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
struct mp4_box {
	uint32_t name;
	struct mp4_span body;
};
/* Bounded: so many boxes, and no more. */
struct mp4_walk {
	struct input *in;
	int count;
	bool misfit; /* a box that does not fit into what holds it, or too many of them */
};
struct mp4_track {
	struct mp4_span movie, leaf[MP4_LEAVES];
	uint32_t movie_scale; /* units of an edit's duration in a second; never 0 */
	bool odd;             /* something is twice, or not known here */
};

/* Whether the file is whole and plain: each box within the file, no fragments, one sound track
 * without anything odd. */
bool mp4_boxes_find(struct input *in, struct mp4_track *ret);
/* The box at *at, which moves behind it; false at the end, and once there is a misfit. */
bool mp4_next_box(struct mp4_walk *w, int64_t *at, int64_t end, struct mp4_box *ret);
/* A number of the file, big-endian; 0 when the file ends before it. */
uint32_t mp4_u32(struct input *in, int64_t at);
uint64_t mp4_u64(struct input *in, int64_t at);

#endif
