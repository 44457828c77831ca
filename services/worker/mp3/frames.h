/* The frames of one encoder's stream, each made to stand alone: its header, its side info and all
 * of its main data, wherever in the stream that lay. Threads: any, one at a time per object. */
#ifndef TONEARM_WORKER_MP3_FRAMES_H
#define TONEARM_WORKER_MP3_FRAMES_H

#include "base/scope.h"
#include "worker/mp3/format.h"

#define MP3_HEADER_BYTES 4
#define MP3_SIDE_MAX 32
#define MP3_FRAME_MAX 1441 /* 320 kbit/s at 32 kHz, padded */

struct mp3_frame {
	uint8_t head[MP3_HEADER_BYTES + MP3_SIDE_MAX]; /* header and side info */
	uint16_t main_len;                             /* bytes */
	uint16_t reservoir; /* main_data_begin as it was encoded: bytes */
	uint32_t main_at;   /* in the bytes of the list */
};

struct mp3_frames {
	struct mp3_frame *list; /* owned */
	size_t count;
	uint8_t *bytes; /* owned: main data of all frames; unused bits are 0 */
	size_t len;
};

/* The number in count bits at a bit's place. */
unsigned mp3_bits(const uint8_t *from, size_t at, int count);
/* How long the main data of the frame with that side info is, in bits. */
size_t mp3_main_bits(const struct mp3_format *format, const uint8_t *side);

/* Takes a whole stream of format apart. A last frame whose main data is not complete is left out.
 * CORRUPT when it is no such stream, NO_MEMORY. */
int mp3_frames_unpack(const struct mp3_format *format, const uint8_t *stream, size_t len,
		      struct mp3_frames *ret, struct err *e);
/* Frees what f holds and zeroes it. */
void mp3_frames_clear(struct mp3_frames *f);

#endif
