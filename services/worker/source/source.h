/* The sound track of a media file: container, best audio stream, decoder. Every other stream is
 * discarded unread. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_SOURCE_H
#define TONEARM_WORKER_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/scope.h"
#include "model/tags.h"
#include "model/track.h"
#include "model/warning.h"
#include "worker/failure.h"
#include "worker/input.h"

struct AVCodecParameters; /* of libav */
struct AVFrame;
struct AVPacket;
struct source;
struct source_options {
	bool drop_gaps; /* packet after packet, whatever the film's time */
	int track;      /* its number in the file, from 1; 0 = the best one */
};
/* Sound that comes next. */
struct source_sound {
	int64_t silence;             /* samples in front of the frame, of its rate */
	const struct AVFrame *frame; /* borrowed until the next call; NULL: silence alone */
	int skip, take;              /* samples of it: to leave out in front, and to use */
};
enum source_tapped { SOURCE_DECODE, SOURCE_LEAVE_OUT, SOURCE_END /* of the track, before it */ };

/* in is borrowed until source_close. */
enum worker_failure source_open(struct input *in, const struct source_options *options,
				struct source **ret, struct err *e);
/* Reads up to the first sound, which source_next then gives. */
enum worker_failure source_begin(struct source *s, struct err *e);
/* Where by the file's clock the result's time begins, in ms: known once there was sound, 0 before. */
int64_t source_zero_ms(const struct source *s);
/* *ret is borrowed until source_next. zero_ms: of this reading, or of one before. */
void source_tags(const struct source *s, int64_t zero_ms, struct tags *ret);
/* The sound that comes next on the film's time, or *ret_end. A damaged packet is silence of its
 * length. */
enum worker_failure source_next(struct source *s, struct source_sound *ret, bool *ret_end,
				struct err *e);
const struct AVCodecParameters *source_track(const struct source *s);
/* The track's next packet, not decoded; valid until the next call. NULL at the end. */
const struct AVPacket *source_packet(struct source *s);
/* From now on each packet passes tap on its way to the decoder. */
typedef enum source_tapped (*source_tap_fn)(void *arg, const struct AVPacket *packet);
void source_tap(struct source *s, source_tap_fn tap, void *arg);
/* The track's length in samples at rate, as the container's index (with its edit list) says;
 * -1 = nothing that binds. */
int64_t source_limit(const struct source *s, int rate);
/* After the end: whether there was anything to be heard. What was not as it should be is in the
 * warnings. */
enum worker_failure source_verdict(struct source *s, struct err *e);
/* What sound tracks the file has. */
void source_tracks(const struct source *s, struct tracks *ret);
/* Whether the track is one of several of one channel each that are one recording; the numbers of
 * the left and the right one. */
bool source_monos(const struct source *s, int ret[2]);
/* Borrowed. */
const struct warnings *source_warnings(const struct source *s);
/* After the end: whether every packet was there, could be decoded, and stood in its place. */
bool source_is_sound(const struct source *s);
/* 0 to 1 by bytes read. */
double source_progress(const struct source *s);
void source_close(struct source *s);
SCOPE_DEFINE(struct source, source_close)

#endif
