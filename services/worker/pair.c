#include "worker/pair.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>

/* What one step makes of a side, about, and what the sink takes at once. */
#define PAIR_PIECE 8192
/* Of the two sides' warnings, so near to one another, one is said. */
#define PAIR_SAME_MS 100

struct pair_side {
	struct source *source; /* borrowed */
	struct resampler *resampler;
	struct source_sound sound; /* what of it was not used yet */
	int rate;                  /* of the last frame */
	bool ended;
	int64_t limit, taken; /* samples of the result: the track's end; so far */
	size_t count;
	float held[PAIR_HELD_MAX];
};
struct pair {
	struct pair_side sides[2]; /* left, right */
	int rate, channels;
	int64_t given;
	resample_sink sink;
	void *arg;
};

/* What a side's resampler made. */
static enum worker_failure
pair_hold(void *arg, float *const planes[2], size_t count, struct err *e)
{
	struct pair_side *side = arg;

	if (side->limit >= 0 && side->taken + (int64_t)count > side->limit)
		count = (size_t)(side->limit - side->taken);
	if (count > PAIR_HELD_MAX - side->count)
		return failure_set(e, WORKER_BROKEN, "a step of more than %d samples",
				   PAIR_HELD_MAX);
	memcpy(side->held + side->count, planes[0], count * sizeof side->held[0]);
	side->count += count;
	side->taken += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

/* The next piece of what a side's source gave, cut so that little comes of it. */
static struct source_sound
pair_cut_piece(const struct pair *p, struct pair_side *side)
{
	struct source_sound *sound = &side->sound, piece = *sound;
	int64_t most;

	if (sound->frame)
		side->rate = sound->frame->sample_rate;
	most = (int64_t)PAIR_PIECE * side->rate / p->rate + 1;
	piece.silence = sound->silence < most ? sound->silence : most;
	piece.take = sound->take < most ? sound->take : (int)most;
	if (piece.silence > 0)
		piece.take = 0;
	sound->silence -= piece.silence;
	sound->skip += piece.take;
	sound->take -= piece.take;
	return piece;
}

static enum worker_failure
pair_read_side(struct pair *p, struct pair_side *side, struct err *e)
{
	struct source_sound piece;
	enum worker_failure f;

	if (side->sound.silence == 0 && side->sound.take == 0 &&
	    ((f = source_next(side->source, &side->sound, &side->ended, e)) || side->ended))
		return f ? f : resample_flush(side->resampler, e);
	piece = pair_cut_piece(p, side);
	return resample_sound(side->resampler, &piece, e);
}

/* How many samples both sides have; one that has ended has any number. */
static size_t
pair_ready(const struct pair *p)
{
	const struct pair_side *left = &p->sides[0], *right = &p->sides[1];
	size_t more = left->count > right->count ? left->count : right->count;
	size_t ready = more;

	for (size_t i = 0; i < 2; i++)
		if (!p->sides[i].ended && p->sides[i].count < ready)
			ready = p->sides[i].count;
	return ready;
}

static void
pair_mix(const struct pair *p, float *const planes[2], size_t count)
{
	for (size_t i = 0; p->channels == 1 && i < count; i++)
		planes[0][i] = 0.5F * planes[0][i] + 0.5F * planes[1][i];
}

static enum worker_failure
pair_give(struct pair *p, size_t count, struct err *e)
{
	enum worker_failure f;

	for (size_t at = 0, n; at < count; at += n) {
		float *planes[2] = { p->sides[0].held + at, p->sides[1].held + at };

		n = count - at < PAIR_PIECE ? count - at : PAIR_PIECE;
		pair_mix(p, planes, n);
		if ((f = p->sink(p->arg, planes, n, e)))
			return f;
	}
	p->given += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

enum worker_failure
pair_step(struct pair *p, bool *ret_end, struct err *e)
{
	enum worker_failure f;
	size_t ready;

	for (size_t i = 0; i < 2; i++)
		if (!p->sides[i].ended && p->sides[i].count == 0 &&
		    (f = pair_read_side(p, &p->sides[i], e)))
			return f;
	ready = pair_ready(p);
	for (size_t i = 0; i < 2; i++)
		for (struct pair_side *side = &p->sides[i]; side->count < ready; side->count++)
			side->held[side->count] = 0;
	if ((f = pair_give(p, ready, e)))
		return f;
	for (size_t i = 0; i < 2; i++) {
		struct pair_side *side = &p->sides[i];

		side->count -= ready;
		memmove(side->held, side->held + ready, side->count * sizeof side->held[0]);
	}
	*ret_end = ready == 0 && p->sides[0].ended && p->sides[1].ended;
	return WORKER_FAILURE_NONE;
}

int64_t
pair_limit(const struct pair *p)
{
	int64_t left = p->sides[0].limit, right = p->sides[1].limit;

	return left < 0 || right < 0 ? -1 : left > right ? left : right;
}

static bool
pair_was_said(const struct warnings *w, const struct warning *warning)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->list[i].code == warning->code &&
		    llabs(w->list[i].at_ms - warning->at_ms) <= PAIR_SAME_MS)
			return true;
	return false;
}

enum worker_failure
pair_verdict(struct pair *p, struct warnings *ret, struct err *e)
{
	struct warning damaged = { WARNING_DAMAGED, 0, p->given * 1000 / p->rate, 1 };
	struct err unsaid = ERR_NONE;
	enum worker_failure left = source_verdict(p->sides[0].source, e);
	enum worker_failure right = source_verdict(p->sides[1].source, &unsaid);

	if (left && right)
		return left;
	for (size_t i = 0; i < 2; i++) {
		const struct warnings *own = source_warnings(p->sides[i].source);

		for (size_t k = 0; k < own->count; k++)
			if (i == 0 || !pair_was_said(ret, &own->list[k]))
				warnings_add(ret, &own->list[k]);
	}
	if (left || right)
		warnings_add(ret, &damaged);
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
pair_open_side(struct pair_side *side, struct source *source, const struct media_spec *spec,
	       struct err *e)
{
	struct media_spec mono = *spec;

	mono.channels = 1;
	side->source = source;
	side->rate = spec->sample_rate;
	side->limit = source_limit(source, spec->sample_rate);
	return resampler_open(&mono, pair_hold, side, &side->resampler, e);
}

enum worker_failure
pair_open(struct source *left, struct source *right, const struct media_spec *spec,
	  resample_sink sink, void *arg, struct pair **ret, struct err *e)
{
	SCOPED(pair_close_p) struct pair *p = calloc(1, sizeof *p);
	enum worker_failure f;

	if (!p)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "pair: no memory");
	p->rate = spec->sample_rate;
	p->channels = spec->channels;
	p->sink = sink;
	p->arg = arg;
	if ((f = pair_open_side(&p->sides[0], left, spec, e)) ||
	    (f = pair_open_side(&p->sides[1], right, spec, e)))
		return f;
	*ret = TAKE(p);
	return WORKER_FAILURE_NONE;
}

void
pair_close(struct pair *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < 2; i++)
		resampler_close(p->sides[i].resampler);
	free(p);
}
