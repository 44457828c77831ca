/* Samples on their way to an encoder: a queue that gives its memory back as it is read.
 * Threads: one at a time. */
#ifndef TONEARM_WORKER_MP3_PCM_H
#define TONEARM_WORKER_MP3_PCM_H

#include <stddef.h>

#include "base/err.h"

#define PCM_PIECE 11520 /* samples per channel: ten frames */

struct pcm_piece {
	struct pcm_piece *next;
	size_t count;
	float planes[2][PCM_PIECE];
};

struct pcm {
	struct pcm_piece *first, *last; /* owned */
};

/* Copies; the right plane is ignored for one channel. NO_MEMORY. */
int pcm_put(struct pcm *pcm, int channels, float *const planes[2], size_t count, struct err *e);
/* The next piece, to be freed; NULL at the end. */
struct pcm_piece *pcm_take(struct pcm *pcm);
/* Frees what is left. */
void pcm_clear(struct pcm *pcm);

#endif
