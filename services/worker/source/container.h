/* Opening a media file: a container of the whitelist, nothing beside it, within limits. Threads:
 * one. */
#ifndef TONEARM_WORKER_SOURCE_CONTAINER_H
#define TONEARM_WORKER_SOURCE_CONTAINER_H

#include <stdbool.h>

#include "worker/failure.h"
#include "worker/input.h"

struct AVFormatContext; /* of libav */

enum container_edits {
	CONTAINER_APPLIES_EDITS,
	CONTAINER_LEAVES_EDITS, /* an mp4's packets as they stand in its tracks */
};

/* With what is known of each stream; in is borrowed until the format is closed. On failure *ret may
 * be set, and is closed by the caller all the same. from: the byte where reading starts. */
enum worker_failure container_open(struct input *in, enum container_edits edits, int64_t from,
				   struct AVFormatContext **ret, struct err *e);
/* As container_open, but with its header alone: nothing is read of the streams, none left out. */
enum worker_failure container_open_file(struct input *in, enum container_edits edits,
					struct AVFormatContext **ret, struct err *e);
/* How often libav has found an error in what it read or decoded, since the process began. */
unsigned container_complaints(void);
/* How many pictures libav has passed over since the start, for it does not know their kind. */
unsigned container_passed_pictures(void);
/* Whether the container's own header names an end that the input lacks. */
bool container_is_cut(const struct input *in);
/* A moving one: a cover is none. Of an Ogg file known from its first pages. */
bool container_has_picture(const struct AVFormatContext *format);
/* keep < 0: every stream with sound. */
void container_discard_all_but(struct AVFormatContext *format, int keep);
/* Whether the decoder of that name is on the whitelist. */
bool container_allows(const char *decoder);

#endif
