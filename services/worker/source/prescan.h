/* A first look at a file whose container has no zero of its own: when the first sound and the first
 * picture start; and where it tells of its streams only as they come (MPEG-TS and -PS, not Ogg),
 * where in the file the sound begins, which may be minutes behind the picture. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_PRESCAN_H
#define TONEARM_WORKER_SOURCE_PRESCAN_H

#include <stdint.h>

#include "worker/input.h"

struct prescan {
	/* flicks (timeline.h): the earlier of the two, of an Ogg the picture's; TIMELINE_UNKNOWN */
	int64_t zero;
	int64_t reading_starts; /* the byte from which on sound is near; 0 = the file's start */
};

/* Of any other file, and of an Ogg without a picture, nothing is known. The input is left as it was. */
void prescan_look(struct input *in, struct prescan *ret);

#endif
