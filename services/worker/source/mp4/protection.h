/* Whether an mp4's track is encrypted, as its own tables say (ISO/IEC 14496-12, 8.12): libav names
 * the codec behind the encryption instead. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_MP4_PROTECTION_H
#define TONEARM_WORKER_SOURCE_MP4_PROTECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/input.h"

/* Of the track with that id; a track that there is not is not. */
bool mp4_is_protected(struct input *in, uint32_t track_id);

#endif
