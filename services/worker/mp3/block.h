/* How a track is cut into blocks that are encoded apart, and how their streams are joined again.
 *
 * Block k starts at frame k * MP3_BLOCK_FRAMES, on the grid of frames, so that both encoders of a
 * seam agree about what a frame is. Its first mp3_warm_up frames only bring the encoder into the
 * state that it would have; then the block in front gives way, within MP3_SEAM_FRAMES, at the first
 * frame where its bit reservoir is as full as the newcomer's. All of it follows from the samples
 * alone: the same bytes for any number of threads. */
#ifndef TONEARM_WORKER_MP3_BLOCK_H
#define TONEARM_WORKER_MP3_BLOCK_H

#include "worker/mp3/frames.h"

/* A multiple of 49, the period of the padding bytes at 44.1 kHz and its fractions. About 31 s:
 * longer ones cost memory, shorter ones work that is done twice. A fuzz target has blocks as short
 * as can be. */
#ifndef MP3_BLOCK_FRAMES
#define MP3_BLOCK_FRAMES 1176
#endif
/* Of 680 seams in six kinds of sound 580 were at the first frame and the farthest at the 16th. */
#define MP3_SEAM_FRAMES 24
/* Frames that an encoder has to hear after one before it gives that one away. */
#define MP3_LOOK_AHEAD 2

/* Frames. A VBR encoder without a reservoir is exact after 128: its ATH level adapts by 7.5 % a
 * frame at most. */
static inline int
mp3_warm_up(const struct mp3_format *format)
{
	return format->vbr == MP3_VBR_OFF ? 32 : 128;
}
/* Frames of a block beside its own: what it shares with the next one. */
static inline int
mp3_overlap(const struct mp3_format *format)
{
	return mp3_warm_up(format) + MP3_SEAM_FRAMES + MP3_LOOK_AHEAD;
}

/* The frame of `next` that is the first to be used, where `block` ends at the one in front. -1 when
 * the streams are too short for that: they are not of neighbours. */
int mp3_seam(const struct mp3_format *format, const struct mp3_frames *block,
	     const struct mp3_frames *next);

#endif
