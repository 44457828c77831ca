/* The packets of a long mp4's sound without libav's index of them, which takes 24 bytes of each,
 * and twice that while an edit list is applied. libav is shown tables that end early (input_patch):
 * it tells of the track and gives the first packets; those behind are read by tables that stay in
 * the file. Files with anything unusual are libav's alone. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_MP4_TAIL_H
#define TONEARM_WORKER_SOURCE_MP4_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/source/mp4/samples.h"

struct AVPacket; /* of libav */
struct AVStream;

struct mp4_tail {
	struct input *in; /* NULL = not in use */
	struct mp4_samples samples;
	uint32_t shown, given; /* to libav; by it */
	int64_t shift;         /* from the track's time to libav's */
};

/* Before libav sees the input. Whether it is now shown less. */
bool mp4_tail_look(struct input *in, struct mp4_tail *ret);
/* After it: whether what it made of that is as expected. */
bool mp4_tail_fits(struct mp4_tail *t, struct AVStream *stream);
/* The input is libav's alone, as it is. */
void mp4_tail_give_up(struct mp4_tail *t, struct input *in);
/* As av_read_frame, once libav has given all that it was shown. */
int mp4_tail_read(struct mp4_tail *t, const struct AVStream *stream, struct AVPacket *packet);
/* Where the last packet starts, in libav's time. */
int64_t mp4_tail_last_start(const struct mp4_tail *t);

#endif
