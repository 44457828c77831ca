/* What stands in front of a WAV's samples: RIFF, or RF64 (EBU Tech 3306, as BW64 of ITU-R BS.2088
 * has it too) where the file is too long for RIFF's 32-bit lengths. Room for RF64's lengths is in
 * every head, as a chunk that readers skip: only the end tells which of the two it is.
 * Threads: any. */
#ifndef TONEARM_WORKER_WRITER_WAV_HEAD_H
#define TONEARM_WORKER_WRITER_WAV_HEAD_H

#include <stdint.h>

#include "model/media_spec.h"

#define WAV_HEAD_BYTES 80
#define WAV_SAMPLE_BYTES 2 /* 16 bits, little endian */

/* samples: per channel. */
void wav_head_write(const struct media_spec *spec, int64_t samples, uint8_t ret[WAV_HEAD_BYTES]);

#endif
