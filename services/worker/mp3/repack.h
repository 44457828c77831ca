/* Frames that stand alone -> one stream with one running bit reservoir: main data goes out as early
 * as the format allows, so that a frame may be larger than its own share. Bounded: what waits for
 * its space to be filled is a few frames. Threads: one. */
#ifndef TONEARM_WORKER_MP3_REPACK_H
#define TONEARM_WORKER_MP3_REPACK_H

#include "worker/mp3/frames.h"
#include "worker/mp3/totals.h"

#define MP3_REPACK_OUT (64 * 1024)
/* 255 bytes of reservoir lie in 86 frames at most: 8 kbit/s at 24 kHz leave three bytes in each. */
#define MP3_REPACK_SPACES 128

struct mp3_repack {
	struct mp3_format format; /* set once */
	struct mp3_measures m;
	int least_index, slot_step;
	void (*write)(void *arg, const void *data, size_t len);
	void *arg;

	struct mp3_totals totals; /* of what went out or waits in out; crc: of what went out */

	int slot_lag;
	uint8_t out[MP3_REPACK_OUT];
	size_t out_len, free; /* free: bytes of all spaces */
	struct {
		size_t at, len;
	} spaces[MP3_REPACK_SPACES]; /* in out, for main data; a ring */
	unsigned first, spaces_used;
};

/* write takes the stream piece by piece. INVALID when format has no such bit rate. */
int mp3_repack_begin(struct mp3_repack *p, const struct mp3_format *format,
		     void (*write)(void *arg, const void *data, size_t len), void *arg,
		     struct err *e);
/* main: its main_len bytes. A CBR frame that does not fit gets a higher bit rate of its own;
 * CORRUPT when none is high enough. */
int mp3_repack_frame(struct mp3_repack *p, const struct mp3_frame *frame, const uint8_t *main,
		     struct err *e);
/* Writes what waits. */
void mp3_repack_end(struct mp3_repack *p);

#endif
