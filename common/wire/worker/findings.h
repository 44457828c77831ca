/* What a worker found in a file, as messages of the worker's protocol (wire/worker/protocol.h): WARNING,
 * at most WARNINGS_MAX of them, and TRACK, at most TRACKS_MAX. Pure bytes <-> struct. Threads: any. */
#ifndef TONEARM_WIRE_WORKER_FINDINGS_H
#define TONEARM_WIRE_WORKER_FINDINGS_H

#include <stdint.h>

#include "base/err.h"
#include "model/track.h"
#include "model/warning.h"

#define WORKER_WARNING_BYTES 24
#define WORKER_TRACK_BYTES (8 + TRACK_CODEC_MAX + 1 + TRACK_LANGUAGE_MAX + 1 + TRACK_TITLE_MAX + 1)

void worker_warning_write(const struct warning *warning, uint8_t ret[WORKER_WARNING_BYTES]);
/* CORRUPT: no such code, or a time that cannot be. */
int worker_warning_read(const uint8_t bytes[WORKER_WARNING_BYTES], struct warning *ret,
			struct err *e);
void worker_track_write(const struct track *track, uint8_t ret[WORKER_TRACK_BYTES]);
/* CORRUPT: text without an end, or that is no UTF-8, or numbers out of range. */
int worker_track_read(const uint8_t bytes[WORKER_TRACK_BYTES], struct track *ret, struct err *e);

#endif
