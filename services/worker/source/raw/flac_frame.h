/* A frame of FLAC by its header alone (RFC 9639, 9.1), for streams that lack the file's head. Pure. */
#ifndef TONEARM_WORKER_SOURCE_RAW_FLAC_FRAME_H
#define TONEARM_WORKER_SOURCE_RAW_FLAC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether one starts there, and another like it within a frame's usual length. */
bool flac_frame_starts(const uint8_t *data, size_t len);

#endif
