/* The sound tracks of a media file, as they are told to its owner. Plain values; what a file says
 * of itself is hostile text, cut to the fields' size and valid UTF-8. */
#ifndef TONEARM_MODEL_TRACK_H
#define TONEARM_MODEL_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#define TRACKS_MAX 16 /* more are not told of */
#define TRACK_CODEC_MAX 23
#define TRACK_LANGUAGE_MAX 15
#define TRACK_TITLE_MAX 95

struct track {
	char codec[TRACK_CODEC_MAX + 1]; /* by libav's name */
	char language[TRACK_LANGUAGE_MAX +
		      1];                /* ISO 639 where the file keeps to it; "" = not said */
	char title[TRACK_TITLE_MAX + 1]; /* "" = none */
	int channels;                    /* 0 = not known */
	bool is_default;                 /* marked so by the file */
	bool taken;                      /* the result is made of it */
};
struct tracks {
	size_t count;
	struct track list[TRACKS_MAX]; /* in the file's order */
};

#endif
