/* A media file's chapters, on the time of its sound. Threads: one. */
#ifndef TONEARM_WORKER_TAGS_CHAPTERS_H
#define TONEARM_WORKER_TAGS_CHAPTERS_H

#include <stdint.h>

#include "model/tags.h"

struct AVFormatContext; /* of libav */

/* Sets the chapters of ret, with titles borrowed from format. zero: where by the file's clock the
 * sound's time begins, in ms. Of more than TAG_CHAPTERS_MAX the file's first ones are kept; those
 * that are over before zero are none. A chapter that does not say when it ends lasts up to the
 * next one. */
void chapters_read(const struct AVFormatContext *format, int64_t zero_ms, struct tags *ret);

#endif
