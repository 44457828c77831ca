/* What a header frame says of the frames behind it: how many, how long, where they start.
 * Threads: any, one at a time per object. */
#ifndef TONEARM_WORKER_MP3_TOTALS_H
#define TONEARM_WORKER_MP3_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#define MP3_SEEK_POINTS 400

/* Where frames start: every step-th of them, in bytes from the first one. */
struct mp3_seek_table {
	int64_t points[MP3_SEEK_POINTS];
	int count;
	int64_t step;
};

struct mp3_totals {
	int64_t frames, bytes;
	uint16_t crc; /* of the bytes, kept by whoever has them */
	struct mp3_seek_table seek;
};

void mp3_totals_begin(struct mp3_totals *t);
/* One more frame of that length. */
void mp3_totals_frame(struct mp3_totals *t, size_t bytes);

/* CRC-16 as LAME's header has it: reflected 0x8005, started with 0. */
uint16_t mp3_crc(uint16_t crc, const uint8_t *bytes, size_t len);

#endif
