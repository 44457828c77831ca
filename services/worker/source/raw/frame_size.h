/* How many bytes a frame of a raw stream has by its own header. A stream's last frame that is
 * shorter was cut. Pure. */
#ifndef TONEARM_WORKER_SOURCE_RAW_FRAME_SIZE_H
#define TONEARM_WORKER_SOURCE_RAW_FRAME_SIZE_H

#include <stddef.h>
#include <stdint.h>

/* codec: libav's id. Of MPEG audio, ADTS, LOAS, AC-3, E-AC-3, DTS and AMR; 0 = it does not say, or
 * starts with no header. */
size_t frame_size(int codec, const uint8_t *data, size_t len);

#endif
