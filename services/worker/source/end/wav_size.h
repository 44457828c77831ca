/* A WAV whose header does not know how long it is, because 32 bits have wrapped (over 4 GiB) or,
 * in an RF64 or BW64 (EBU Tech 3306, ITU-R BS.2088), the writer was stopped before it filled them
 * in: libav is made to read it to the file's end, as it does with sizes of 0 and ffffffff. Threads:
 * one. */
#ifndef TONEARM_WORKER_SOURCE_END_WAV_SIZE_H
#define TONEARM_WORKER_SOURCE_END_WAV_SIZE_H

#include "worker/input.h"

/* Before libav reads it, and behind mp4_tail_look, which clears patches; leaves other files as they
 * are. */
void wav_size_mend(struct input *in);

#endif
