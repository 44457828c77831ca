/* The last page of an Ogg file (RFC 3533): whether it says that the stream ends with it, and when
 * its sound starts, where that is Opus (RFC 7845, RFC 6716). libav 5.1 takes the last page's sound to
 * follow the page in front of it, whatever its time. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_END_OGG_END_H
#define TONEARM_WORKER_SOURCE_END_OGG_END_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/input.h"

struct ogg_end {
	int64_t at;      /* the page's first byte; -1 = there is none to be found */
	bool says_end;   /* marked as the last one, and whole */
	int64_t granule; /* where its sound ends, in samples of 48 kHz with the pre-skip */
	int64_t samples; /* of its Opus packets; -1 = not known */
};

void ogg_end_find(struct input *in, struct ogg_end *ret);
/* The samples (48 kHz) of an Opus packet by its first two bytes; 0 = none. len: of the packet. */
int opus_samples(const uint8_t *packet, int64_t len);

#endif
