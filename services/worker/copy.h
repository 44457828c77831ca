/* Copying in place of encoding: a sound track that is already, frame by frame, what was asked for.
 * That holds for the whole stream or not at all, and what is written cannot be taken back: so a
 * first reading decodes and looks at every frame, and a second one copies. Threads: one. */
#ifndef TONEARM_WORKER_COPY_H
#define TONEARM_WORKER_COPY_H

#include "base/scope.h"
#include "worker/mp3/format.h"
#include "worker/source/source.h"

struct copy;

/* Whether the track's codec, rate and channels are worth the first reading. */
bool copy_may_do(const struct source *source, const struct mp3_format *format);
/* Begins the first reading: looks at what source decodes from now on, and ends it at the first
 * frame that is not as it must be. NULL: not possible. source is to outlive the reading. */
struct copy *copy_look(struct source *source, const struct mp3_format *format);
/* After the end: whether a copy plays as the source did. decoded: samples that it gave; kept: of
 * those, the ones in front of its declared end. */
bool copy_decide(struct copy *c, const struct source *source, int64_t decoded, int64_t kept);
/* The second reading, of the source freshly opened: writes header frame and frames. */
enum worker_failure copy_write(struct copy *c, struct source *source, int fd, struct err *e);
void copy_close(struct copy *c);

#endif
