/* A raw stream of frames behind bytes that no prober knows: what a recorder has left in front of it, or
 * a damaged head. Players open such a file by the ending of its name. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_RAW_RAW_FIND_H
#define TONEARM_WORKER_SOURCE_RAW_RAW_FIND_H

#include "worker/input.h"

/* Looked through, from the file's start. */
#define RAW_FIND_BYTES (512 * 1024)

/* Where it starts; -1 where there is no such stream, or no memory to look for it. */
int64_t raw_find(struct input *in);

#endif
