/* Samples in, a whole mp3 stream out, encoded by several threads: a header frame with length, seek
 * table and gapless bounds, then the frames. The bytes do not depend on the number of threads.
 * Memory: 14 MiB for each thread and once more: the samples of a block and what becomes of them.
 * Threads: all functions for one thread. */
#ifndef TONEARM_WORKER_MP3_MP3_H
#define TONEARM_WORKER_MP3_MP3_H

#include "base/scope.h"
#include "worker/mp3/format.h"

/* Where the stream goes. Called by the thread that calls mp3_*. */
struct mp3_sink {
	void (*write)(void *arg, const void *data, size_t len);
	/* Overwrites the header frame's bytes: the first ones that were written, MP3_HEAD_MAX at
	 * most. */
	void (*patch_head)(void *arg, const void *data, size_t len);
	void *arg;
};

#define MP3_HEAD_MAX 1441 /* bytes */

struct mp3;

/* INVALID when there is no such format. */
int mp3_open(const struct mp3_format *format, int threads, const struct mp3_sink *sink,
	     struct mp3 **ret, struct err *e);
/* Full scale is 1.0; the right plane is ignored for one channel. */
int mp3_encode(struct mp3 *mp3, float *const planes[2], size_t count, struct err *e);
/* Ends the stream and patches its header. */
int mp3_finish(struct mp3 *mp3, struct err *e);
void mp3_close(struct mp3 *mp3);
SCOPE_DEFINE(struct mp3, mp3_close)

#endif
