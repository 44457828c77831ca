/* What is no sound in a CAF: what its encoder has put in front, and what fills up the last packet,
 * as the packet table ("pakt" of Apple's Core Audio Format) says. libav 5.1 leaves both in.
 * Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_END_CAF_PADDING_H
#define TONEARM_WORKER_SOURCE_END_CAF_PADDING_H

#include <stdint.h>

#include "worker/input.h"

struct caf_padding {
	uint32_t priming; /* samples in front of the sound */
	int64_t sound;    /* samples of it; 0 = not said, or not in a way that fits the packets */
};

/* Leaves other files as ones that say nothing. */
void caf_padding_find(struct input *in, struct caf_padding *ret);

#endif
