/* LAME: the only owner of lame.h. Threads: any; one encoder per call. */
#ifndef TONEARM_WORKER_MP3_LAME_H
#define TONEARM_WORKER_MP3_LAME_H

#include "worker/mp3/frames.h"
#include "worker/mp3/pcm.h"

enum lame_end {
	LAME_END_INNER, /* the stream goes on elsewhere: no padding */
	LAME_END_LAST,  /* the track ends here */
};

/* Encodes all of pcm (and empties it; full scale is 1.0) by an encoder of its own, into frames.
 * INVALID when LAME refuses format, NO_MEMORY, INTERNAL. */
int mp3_lame_encode(const struct mp3_format *format, struct pcm *pcm, enum lame_end end,
		    struct mp3_frames *ret, struct err *e);
/* LAME's header frame for such a stream, its counts and checksums still to be filled in: *ret_len
 * bytes, at most MP3_FRAME_MAX. */
int mp3_lame_header(const struct mp3_format *format, uint8_t ret[MP3_FRAME_MAX], size_t *ret_len,
		    struct err *e);

#endif
