/* What an mp3 stream is to be, and what follows from it (ISO 11172-3, 13818-3). Threads: any. */
#ifndef TONEARM_WORKER_MP3_FORMAT_H
#define TONEARM_WORKER_MP3_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MP3_VBR_OFF (-1)

struct mp3_format {
	int sample_rate; /* Hz: 8000 to 48000, one that MPEG knows */
	int channels;    /* 1 or 2 */
	int bit_rate;    /* bit/s of CBR */
	int vbr;         /* LAME's V level, 0 to 9; MP3_VBR_OFF = CBR */
	int quality;     /* LAME's -q, 0 (slow) to 9 */
};

/* One frame's measures. */
struct mp3_measures {
	bool mpeg1;        /* else MPEG-2 or 2.5: half the samples, a smaller reservoir */
	int frame_samples; /* per channel */
	int side_bytes;    /* of the side info */
	int reservoir_max; /* bytes that main data may start in front of its frame */
};

struct mp3_measures mp3_measure(const struct mp3_format *format);
/* Length in bytes of a frame of that bit-rate index (1 to 14), without and with its padding byte;
 * 0 for an index out of range. */
size_t mp3_frame_bytes(const struct mp3_format *format, int index, bool padded);
/* The index of format's CBR bit rate; INVALID when MPEG has none. */
int mp3_bit_rate_index(const struct mp3_format *format, struct err *e);

#endif
