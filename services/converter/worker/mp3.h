/* PCM in, a whole mp3 file out: an ID3v2.4 tag, then LAME's frames, the first of which becomes the
 * Xing/LAME header at the end. Threads: one. */
#ifndef TONEARM_CONVERTER_WORKER_MP3_H
#define TONEARM_CONVERTER_WORKER_MP3_H

#include <stddef.h>
#include <stdint.h>

#include "base/scope.h"
#include "converter/worker/failure.h"

#define MP3_SAMPLES_MAX 8192 /* per channel and call */

struct mp3;

/* spec is borrowed for the call; the file goes out over fd. */
enum worker_failure mp3_open(int fd, const struct worker_start *spec, struct mp3 **ret,
			     struct err *e);
/* Full scale is 1.0; right is ignored for mono. count <= MP3_SAMPLES_MAX. */
enum worker_failure mp3_encode(struct mp3 *mp3, float *const planes[2], size_t count,
			       struct err *e);
/* Ends the stream and patches the header. */
enum worker_failure mp3_finish(struct mp3 *mp3, struct err *e);
void mp3_close(struct mp3 *mp3);
SCOPE_DEFINE(struct mp3, mp3_close)

#endif
