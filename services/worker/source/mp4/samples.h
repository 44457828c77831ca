/* The samples (packets) of an mp4's sound by the tables of ISO/IEC 14496-12, which stay in the
 * file: stts (how long each is), stsc and stco or co64 (which chunk holds it, and where), stsz (how
 * large it is). Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_MP4_SAMPLES_H
#define TONEARM_WORKER_SOURCE_MP4_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/source/mp4/boxes.h"

struct mp4_sample {
	int64_t position, start; /* in the file; in the track's time */
	uint32_t size, duration;
};
struct mp4_samples {
	struct input *in;
	struct mp4_track track;
	uint32_t count, next;
	int64_t last_start;
	/* where the next one lies, and when it starts */
	uint32_t chunk, in_chunk, per_chunk, stsc_entry, chunks_left;
	uint32_t length, stts_entry, lengths_left;
	int64_t position, start;
};

/* Whether the file has such tables without anything unusual: every sample in one chunk and in the
 * file, and all of them within the edit, if there is one, which starts in the first
 * samples_before_edit. What libav makes of anything else is not ours to know. */
bool mp4_samples_open(struct input *in, uint32_t samples_before_edit, struct mp4_samples *ret);
void mp4_samples_rewind(struct mp4_samples *s);
/* False behind the last, and without memory (input's peek_failed). */
bool mp4_samples_next(struct mp4_samples *s, struct mp4_sample *ret);
/* The box with the chunks' positions. */
enum mp4_leaf mp4_samples_offsets(const struct mp4_samples *s);

#endif
