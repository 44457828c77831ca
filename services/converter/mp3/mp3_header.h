/* The Xing/Info frame with LAME's fields: a player's length, seek table and gapless bounds.
 * Its layout is what LAME writes (field by field in mp3_header.c). Threads: any. */
#ifndef TONEARM_CONVERTER_MP3_HEADER_H
#define TONEARM_CONVERTER_MP3_HEADER_H

#include "converter/mp3/mp3_repack.h"

/* Fills LAME's frame of len bytes in for a stream of samples (per channel) that stream counted. */
void mp3_header_fill(uint8_t *frame, size_t len, const struct mp3_repack *stream, int64_t samples);

#endif
