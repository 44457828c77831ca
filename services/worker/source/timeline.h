/* Where decoded sound belongs on the film's time: what is silence in front of a frame, and what of
 * it stands there already. Pure arithmetic. Threads: one.
 *
 * Example: a frame ends at 2.000 s and the next one's time is 3.500 s. That is a hole: 1.5 s of
 * silence. Had it been 1.900 s, 0.1 s of it would be cut. At 2.015 s nothing is done: a clock may be
 * off by TIMELINE_TOLERANCE_MS. A clock that is off a little by each frame is not followed, for the
 * samples stay the samples; one that stands still tells nothing; one that jumps back, or ahead by more
 * than TIMELINE_MAX_GAP_MS, counts as started anew.
 *
 * Bounded: one hole by TIMELINE_MAX_GAP_MS, all of them by ten times the decoded sound and an hour.
 * Times are flicks: 1/705,600,000 s, in which a sample of every usual rate is a whole number. */
#ifndef TONEARM_WORKER_SOURCE_TIMELINE_H
#define TONEARM_WORKER_SOURCE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/warning.h"

#define TIMELINE_FLICKS INT64_C(705600000) /* in a second */
#define TIMELINE_UNKNOWN INT64_MIN         /* a frame without a time of its own */
#define TIMELINE_TOLERANCE_MS 20
#define TIMELINE_MAX_GAP_MS (5 * 60 * 1000)
#define TIMELINE_MAX_OVERLAP_MS 500

struct timeline_rules {
	int64_t zero; /* the film's start by the file's clock; TIMELINE_UNKNOWN = the first frame */
	int64_t tick; /* the clock's unit */
	int64_t most_overlap; /* flicks; what goes back further is a clock that started anew */
	bool no_clock;  /* times are only the sum of the lengths: they tell of lost packets alone */
	bool drop_gaps; /* frame after frame, whatever the clock says */
};
struct timeline {
	struct timeline_rules rules;
	struct warnings *warnings;
	bool begun, cutting;
	int64_t shift;     /* from the file's clock to the result's time */
	int64_t unrounded; /* what it was before the clock's roundings moved it */
	int64_t last;      /* time of the last frame that had one */
	int64_t clock;     /* where by the file's clock the last frame ended */
	int64_t run_from;  /* result's time at the first of run_samples */
	int64_t run_samples, decoded, filled;
	int run_rate;
	unsigned uneven; /* share of the last frames that did not start where one ended, of 256 */
	int64_t packet;  /* the longest that holds several frames; 0 = none does */
	int64_t since_known;
	int frames; /* since a frame with a time, and that one */
};
/* Samples of the frame's rate. */
struct timeline_place {
	int64_t silence; /* in front of it */
	int skip, take;  /* of the frame itself */
};

/* warnings is borrowed. */
void timeline_start(struct timeline *t, const struct timeline_rules *rules,
		    struct warnings *warnings);
/* lost: packets since the last frame that could not be decoded; a hole is then their damage. */
void timeline_place(struct timeline *t, int64_t at, int samples, int rate, uint32_t lost,
		    struct timeline_place *ret);
/* Whether a frame is so far from where the last one ended that the next one should be asked. */
bool timeline_doubts(const struct timeline *t, int64_t at);
/* Whether that next frame agrees with it: if not, its time is to be taken as unknown. */
bool timeline_agrees(const struct timeline *t, int64_t at, int samples, int rate, int64_t next);
/* After the last frame: the silence up to `until`, where packets were that could not be decoded. */
int64_t timeline_rest(struct timeline *t, int64_t until, uint32_t lost);
/* Of the result so far, in flicks. */
int64_t timeline_position(const struct timeline *t);

#endif
