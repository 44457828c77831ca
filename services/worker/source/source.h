/* The sound track of a media file: container, best audio stream, decoder. Every other stream is
 * discarded unread. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_SOURCE_H
#define TONEARM_WORKER_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/scope.h"
#include "model/tags.h"
#include "worker/failure.h"
#include "worker/input.h"

struct AVCodecParameters; /* of libav */
struct AVFrame;
struct AVPacket;
struct source;
enum source_tapped { SOURCE_DECODE, SOURCE_LEAVE_OUT, SOURCE_END /* of the track, before it */ };

/* in is borrowed until source_close. */
enum worker_failure source_open(struct input *in, struct source **ret, struct err *e);
/* *ret is borrowed until source_next. */
void source_tags(const struct source *s, struct tags *ret);
/* The next decoded frame into *ret, or *ret_end at the end. A damaged packet is skipped; what the
 * file as a whole means is said at its end. */
enum worker_failure source_next(struct source *s, struct AVFrame *ret, bool *ret_end,
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
/* After the end: whether the file held what it promised. decoded: samples at rate. */
enum worker_failure source_verdict(const struct source *s, int64_t decoded, int rate,
				   struct err *e);
/* After the end: whether every packet was there and could be decoded. */
bool source_is_sound(const struct source *s);
/* 0 to 1 by bytes read. */
double source_progress(const struct source *s);
void source_close(struct source *s);
SCOPE_DEFINE(struct source, source_close)

#endif
