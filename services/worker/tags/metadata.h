/* What a media file says of itself, as far as it goes into a tag. Threads: one. */
#ifndef TONEARM_WORKER_TAGS_METADATA_H
#define TONEARM_WORKER_TAGS_METADATA_H

#include "model/tags.h"
#include "model/track.h"

struct AVFormatContext; /* of libav */
struct AVStream;

/* *ret is borrowed from format until it is read on or closed. sound: the stream that is used. */
void metadata_read(const struct AVFormatContext *format, const struct AVStream *sound,
		   struct tags *ret);
/* The sound tracks; taken: the stream that is used. */
void metadata_tracks(const struct AVFormatContext *format, const struct AVStream *taken,
		     struct tracks *ret);

#endif
