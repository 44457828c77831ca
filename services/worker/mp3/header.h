/* The Xing/Info frame with LAME's fields: a player's length, seek table and gapless bounds.
 * Its layout is what LAME writes (field by field in header.c). Threads: any. */
#ifndef TONEARM_WORKER_MP3_HEADER_H
#define TONEARM_WORKER_MP3_HEADER_H

#include "worker/mp3/frames.h"
#include "worker/mp3/totals.h"

#define MP3_BOUND_MAX 4095

/* Samples that players leave out. A decoder's own delay is not in them: it is left out in front
 * beside the delay, and the stream ends that much later. */
struct mp3_bounds {
	int delay, padding; /* 0 to MP3_BOUND_MAX */
};
enum mp3_bounds_known { MP3_BOUNDS_UNKNOWN, MP3_BOUNDS_KNOWN };

/* Fills a header frame of len bytes in for the stream behind it. */
void mp3_header_fill(uint8_t *frame, size_t len, int side_bytes, const struct mp3_totals *stream,
		     const struct mp3_bounds *bounds);
/* A header frame without LAME's help, for CBR frames of which head is a header; still to be filled
 * in. Where no bounds are known players leave nothing out. Returns its length; 0 when a frame of
 * format is too short for one. */
size_t mp3_header_new(const struct mp3_format *format, const uint8_t head[MP3_HEADER_BYTES],
		      enum mp3_bounds_known known, uint8_t ret[MP3_FRAME_MAX]);

#endif
