/* Tracks of one channel each that are one recording, as cameras and editing programs make them: the
 * first is the left channel, the second the right one. Threads: one. */
#ifndef TONEARM_WORKER_MONOS_H
#define TONEARM_WORKER_MONOS_H

#include <stdbool.h>

struct AVFormatContext; /* of libav */
struct AVStream;

/* Whether `best` is a track of one channel beside which others are of the same codec, rate and
 * length, not for another language nor for listeners of another kind; the indexes of the first two
 * of them, `best` among them all. */
bool monos_find(const struct AVFormatContext *format, struct AVStream *best, int ret[2]);

#endif
