/* The ID3v2.4 tag in front of an mp3: what its source said of itself, and which software made it
 * (TSSE, as MsgQ's files say). Threads: any. */
#ifndef TONEARM_WORKER_TAGS_ID3_H
#define TONEARM_WORKER_TAGS_ID3_H

#include "model/tags.h"

/* All of a tag but its picture: bytes. */
#define ID3_HEAD_MAX (16 * 1024)

/* Writes the tag up to its picture's bytes, which are to follow and end it; returns the length. */
size_t id3_write(const struct tags *tags, uint8_t to[ID3_HEAD_MAX]);

#endif
