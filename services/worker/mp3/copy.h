/* A stream that is already what was asked for, taken over frame by frame: tells of each frame
 * whether it may be, and makes the header frame for all of them. Threads: one. */
#ifndef TONEARM_WORKER_MP3_COPY_H
#define TONEARM_WORKER_MP3_COPY_H

#include "worker/mp3/header.h"

struct mp3_copy {
	struct mp3_format format; /* set once */
	struct mp3_measures m;
	uint8_t head[MP3_HEADER_BYTES]; /* what the headers of all frames have in common */
	size_t reservoir;               /* bytes behind the last frame's main data */
	struct mp3_totals totals;       /* of the frames taken */
};

/* INVALID when there is no such CBR format. */
int mp3_copy_begin(struct mp3_copy *c, const struct mp3_format *format, struct err *e);
/* Whether these bytes are exactly one frame that goes on the stream: of the format's rates and
 * channels and its CBR bit rate, with a CRC that is right if it has one, and with all of its main
 * data in this stream, behind the main data before. Such a frame is counted; any other leaves c
 * alone. */
bool mp3_copy_take(struct mp3_copy *c, const uint8_t *frame, size_t len);
/* Of what mp3_copy_take does not take: whether it is not even the whole of another frame, but one
 * that is cut short, or a tag. */
bool mp3_copy_is_no_frame(const struct mp3_copy *c, const uint8_t *data, size_t len);
/* The header frame of the stream so far; bounds NULL = none are known. Returns its length; 0 when
 * a frame of the format is too short for one. */
size_t mp3_copy_header(const struct mp3_copy *c, const struct mp3_bounds *bounds,
		       uint8_t ret[MP3_FRAME_MAX]);

#endif
