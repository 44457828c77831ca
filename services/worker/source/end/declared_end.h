/* Where a container's own header says that it ends. Pure. */
#ifndef TONEARM_WORKER_SOURCE_END_DECLARED_END_H
#define TONEARM_WORKER_SOURCE_END_DECLARED_END_H

#include <stddef.h>
#include <stdint.h>

#define DECLARED_END_START 4096 /* bytes of the file's start that are enough */

/* In bytes from the file's start; -1 = not said (a live recording, or another container). Known are
 * RIFF (wav, avi), FORM (aiff), EBML (matroska, webm), ASF, FLV, AU, CAF and Wave64: their demuxers take a
 * cut file for whole. */
int64_t declared_end(const uint8_t *start, size_t len);

#endif
