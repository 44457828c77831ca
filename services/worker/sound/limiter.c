#include "worker/sound/limiter.h"

#include <stdlib.h>
#include <string.h>

#include "worker/sound/true_peak.h"

#define HOP LIMITER_HOP
/* A peak between two samples is told by those around it. */
#define AROUND TRUE_PEAK_TAPS
/* What is looked at behind a hop before it goes: the hops of the ramp, and what is around the last. */
#define HELD ((LIMITER_AHEAD + 1) * HOP + AROUND)
#define LINE_MAX_SAMPLES (AROUND + HELD + HOP + LIMITER_PUT_MAX)
#define NEEDS_MAX (LIMITER_PUT_MAX / HOP + 2 * LIMITER_AHEAD + 4)
/* Of what is missing to 1, given back in each hop; what is then left is nothing to hear. */
#define RELEASE_S 0.1F
#define WHOLE 0.999F
#define ONE_BITS 0x3f800000
#define LANES 4

typedef int32_t quad_bits __attribute__((vector_size(LANES * sizeof(int32_t))));

struct limiter {
	int channels, rate;
	limiter_sink sink;
	void *arg;
	struct warnings *warnings;
	struct true_peak fresh; /* as true_peak_init leaves it */
	float release, ceiling;
	/* the first AROUND samples have gone already and are there to be looked back at */
	float line[MEDIA_CHANNELS_MAX][LINE_MAX_SAMPLES];
	size_t held;            /* samples behind those */
	float needs[NEEDS_MAX]; /* the gain that each held hop needs at most, as far as known */
	size_t known;
	float gain;     /* where the next hop starts */
	int64_t passed; /* samples */
	int64_t began;  /* of the place that is taken back; -1 = none */
};

enum worker_failure
limiter_open(const struct media_spec *spec, struct warnings *warnings, limiter_sink sink, void *arg,
	     struct limiter **ret, struct err *e)
{
	struct limiter *l = calloc(1, sizeof *l);

	if (!l)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "limiter: no memory");
	l->channels = spec->channels;
	l->rate = spec->sample_rate;
	l->warnings = warnings;
	l->sink = sink;
	l->arg = arg;
	l->gain = 1;
	l->began = -1;
	l->release = HOP / (RELEASE_S * (float)l->rate);
	l->ceiling =
		media_format_info(spec->format)->lossless ? LIMITER_CEILING : LIMITER_CEILING_LOSSY;
	true_peak_init(&l->fresh);
	*ret = l;
	return WORKER_FAILURE_NONE;
}

/* Whether any sample is beyond full scale; magnitudes of floats are ordered as their bits are. */
static bool
limiter_is_over(const float *samples)
{
	quad_bits over = { 0 };

	for (size_t i = 0; i < HOP; i += LANES) {
		quad_bits bits;

		memcpy(&bits, samples + i, sizeof bits);
		over |= (bits & INT32_MAX) > ONE_BITS;
	}
	return (over[0] | over[1] | over[2] | over[3]) != 0;
}

/* The gain that the hop at `at` of the line needs at most. */
static float
limiter_need(const struct limiter *l, size_t at)
{
	float peak = 0;

	for (int c = 0; c < l->channels; c++) {
		const float *from = l->line[c] + at;
		struct true_peak around;

		if (!limiter_is_over(from))
			continue;
		around = l->fresh;
		true_peak_add(&around, c, from - AROUND, HOP + 2 * AROUND);
		peak = around.peak > peak ? around.peak : peak;
	}
	return peak > l->ceiling ? l->ceiling / peak : 1;
}

/* The gain where hop `next` starts: what it needs and the one in front of it needed (the first has
 * none), less on the way to what comes, and no faster up than the release. */
static float
limiter_next_gain(const struct limiter *l, size_t next)
{
	float gain = l->gain + (1 - l->gain) * l->release;

	if (gain > WHOLE)
		gain = 1;
	for (size_t k = next > 0 ? next - 1 : 0; k <= next + LIMITER_AHEAD - 1; k++) {
		float far = k < next ? 0 : (float)(k - next) / LIMITER_AHEAD;
		float most = l->needs[k] + (1 - l->needs[k]) * far;

		gain = most < gain ? most : gain;
	}
	return gain;
}

static void
limiter_note(struct limiter *l, bool limited)
{
	struct warning warning = { WARNING_LEVEL_LIMITED, 0, 0, 1 };

	if (limited && l->began < 0)
		l->began = l->passed;
	if (limited || l->began < 0)
		return;
	warning.at_ms = l->began * 1000 / l->rate;
	warning.ms = (l->passed - l->began) * 1000 / l->rate;
	warnings_add(l->warnings, &warning);
	l->began = -1;
}

static void
limiter_apply(struct limiter *l, size_t at, float to)
{
	float from = l->gain, step = (to - from) / HOP;

	l->gain = to;
	if (from >= 1 && to >= 1)
		return;
	for (int c = 0; c < l->channels; c++)
		for (int i = 0; i < HOP; i++)
			l->line[c][at + (size_t)i] *= from + step * (float)i;
}

/* Of the hops that are held, those that can go: each is known with LIMITER_AHEAD behind it. */
static size_t
limiter_settle(struct limiter *l)
{
	size_t hops = 0;

	while (AROUND + (l->known + 1) * HOP + AROUND <= AROUND + l->held) {
		l->needs[l->known] = limiter_need(l, AROUND + l->known * HOP);
		l->known++;
	}
	if (l->passed == 0 && l->known > LIMITER_AHEAD)
		l->gain = limiter_next_gain(l, 0);
	for (; hops + LIMITER_AHEAD + 1 <= l->known; hops++) {
		float to = limiter_next_gain(l, hops + 1);

		limiter_note(l, l->gain < 1 || to < 1);
		limiter_apply(l, AROUND + hops * HOP, to);
		l->passed += HOP;
	}
	return hops;
}

/* Hands over the first samples of what is held, and forgets them and their hops. */
static enum worker_failure
limiter_emit(struct limiter *l, size_t hops, size_t count, struct err *e)
{
	float *planes[MEDIA_CHANNELS_MAX];
	enum worker_failure f;

	for (int c = 0; c < MEDIA_CHANNELS_MAX; c++)
		planes[c] = l->line[c] + AROUND;
	if (count > 0 && (f = l->sink(l->arg, planes, count, e)))
		return f;
	for (int c = 0; c < l->channels; c++)
		memmove(l->line[c], l->line[c] + hops * HOP,
			(AROUND + l->held - hops * HOP) * sizeof l->line[c][0]);
	memmove(l->needs, l->needs + hops, (l->known - hops) * sizeof l->needs[0]);
	l->known -= hops;
	l->held -= hops * HOP;
	return WORKER_FAILURE_NONE;
}

enum worker_failure
limiter_put(struct limiter *l, float *const planes[MEDIA_CHANNELS_MAX], size_t count, struct err *e)
{
	size_t hops;

	for (int c = 0; c < l->channels; c++)
		memcpy(l->line[c] + AROUND + l->held, planes[c], count * sizeof planes[c][0]);
	l->held += count;
	hops = limiter_settle(l);
	return limiter_emit(l, hops, hops * HOP, e);
}

enum worker_failure
limiter_finish(struct limiter *l, struct err *e)
{
	size_t left = l->held, hops;
	int64_t length = l->passed + (int64_t)left;

	for (int c = 0; c < l->channels; c++)
		memset(l->line[c] + AROUND + l->held, 0, (HELD + HOP) * sizeof l->line[c][0]);
	l->held += HELD + HOP;
	hops = limiter_settle(l);
	/* the last hop may reach past the end */
	l->passed = l->passed < length ? l->passed : length;
	limiter_note(l, false);
	return limiter_emit(l, hops, left, e);
}

void
limiter_close(struct limiter *l)
{
	free(l);
}
