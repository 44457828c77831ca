/* The ID3v2.4 tag in front of an mp3: which software made it (TSSE), as MsgQ's files say. */
#ifndef TONEARM_CONVERTER_WORKER_ID3_H
#define TONEARM_CONVERTER_WORKER_ID3_H

#include <stddef.h>
#include <stdint.h>

#define ID3_MAX 256

/* Returns the tag's length; 0 when it does not fit. */
size_t id3_write(uint8_t *to, size_t size);

#endif
