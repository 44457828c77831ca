/* The edit list of an mp4's track (ISO/IEC 14496-12, elst): which pieces of the track are heard,
 * and when. libav 5.1 applies the usual ones: one piece, and silence in front of it. It is wrong
 * with silence between pieces, and with pieces that do not follow one another: those are applied
 * here. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_MP4_EDITS_H
#define TONEARM_WORKER_SOURCE_MP4_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/input.h"

#define MP4_EDITS_MAX 512

/* Flicks (timeline.h). */
struct mp4_edit {
	int64_t film, media; /* where the piece starts: in the film; in the track */
	int64_t length;
};
struct mp4_edits {
	size_t count, next; /* 0 = leave it to libav */
	struct mp4_edit list[MP4_EDITS_MAX];
	int64_t late_end; /* where in the film a single piece that starts late ends; 0 = none */
	int64_t given;    /* of the present piece */
	bool sought;
};
/* A part of a frame that is heard. Samples, and flicks. */
struct mp4_piece {
	int skip, take;
	int64_t film;
};
enum mp4_heard {
	MP4_HEARD,     /* *ret is a part of the frame */
	MP4_NOT_HEARD, /* no more of this frame */
	MP4_HEARD_FROM, /* the piece lies further in front: seek back to mp4_edits_media(). Once a piece */
	MP4_HEARD_ALL, /* no piece is left */
};

/* Of the track with that id; *ret is empty when there is nothing odd about its edits. */
void mp4_edits_find(struct input *in, uint32_t track_id, struct mp4_edits *ret);
/* Which part of a frame the present piece has, moving on to the next piece behind its end. To be
 * asked again about the same frame after MP4_HEARD. at: the frame's start in the track. */
enum mp4_heard mp4_edits_piece(struct mp4_edits *e, int64_t at, int samples, int rate,
			       struct mp4_piece *ret);
/* At the track's end: whether a piece is left that may lie in front of it; once a piece. */
bool mp4_edits_lie_back(struct mp4_edits *e);
/* Where in the track the present piece starts. */
int64_t mp4_edits_media(const struct mp4_edits *e);

#endif
