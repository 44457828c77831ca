/* Four times the rate by a windowed sinc of 49 taps, as libebur128 does it; every fourth value is
 * a sample. Where no sample comes near the peak so far, nothing between two can exceed it: most
 * windows end there, and what is left is arithmetic on vectors of four. */
#include "worker/sound/true_peak.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PI 3.14159265358979323846
#define FACTOR (TRUE_PEAK_PHASES + 1)
#define LAST (TRUE_PEAK_TAPS - 1)
#define WINDOW (TRUE_PEAK_WINDOW - LAST)
#define LANES 4

typedef float quad __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t quad_bits __attribute__((vector_size(LANES * sizeof(int32_t))));

void
true_peak_init(struct true_peak *t)
{
	const int centre = FACTOR * TRUE_PEAK_TAPS / 2;

	*t = (struct true_peak){ 0 };
	for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++) {
		float reach = 0;

		for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++) {
			int at = tap * FACTOR + phase + 1;
			double x = (at - centre) * PI / FACTOR;
			double hann = 0.5 * (1 - cos(PI * at / centre));

			t->filter[phase][tap] = (float)(sin(x) / x * hann);
			reach += fabsf(t->filter[phase][tap]);
		}
		t->reach = fmaxf(t->reach, reach);
	}
}

static quad
true_peak_load(const float *from)
{
	quad ret;

	memcpy(&ret, from, sizeof ret);
	return ret;
}

/* Magnitudes of floats are ordered as their bits are. */
static quad_bits
true_peak_larger(quad_bits most, quad value)
{
	quad_bits bits = (quad_bits)value & INT32_MAX, mask = bits > most;

	return (bits & mask) | (most & ~mask);
}

static float
true_peak_largest(quad_bits most)
{
	quad values = (quad)most;
	float ret = 0;

	for (int i = 0; i < LANES; i++)
		if (values[i] > ret)
			ret = values[i];
	return ret;
}

/* window: LAST samples from before, then WINDOW. */
static float
true_peak_between(const struct true_peak *t, const float *window)
{
	quad_bits most = { 0 };

	for (int i = 0; i < WINDOW; i += LANES) {
		quad sum[TRUE_PEAK_PHASES] = { { 0 } };

		for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++) {
			quad x = true_peak_load(window + LAST + i - tap);

			for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++)
				sum[phase] += x * t->filter[phase][tap];
		}
		for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++)
			most = true_peak_larger(most, sum[phase]);
	}
	return true_peak_largest(most);
}

static void
true_peak_look(struct true_peak *t, const float *window)
{
	quad_bits most = { 0 };
	float highest;

	for (int i = 0; i < WINDOW; i += LANES)
		most = true_peak_larger(most, true_peak_load(window + LAST + i));
	highest = true_peak_largest(most);
	if (highest > t->peak)
		t->peak = highest;
	for (int i = 0; i + LANES <= LAST; i += LANES)
		most = true_peak_larger(most, true_peak_load(window + i));
	most = true_peak_larger(most, true_peak_load(window + LAST - LANES));
	if (true_peak_largest(most) * t->reach <= t->peak)
		return;
	highest = true_peak_between(t, window);
	if (highest > t->peak)
		t->peak = highest;
}

/* A piece shorter than a window is looked at together with what came before it. */
void
true_peak_add(struct true_peak *t, int channel, const float *samples, size_t count)
{
	float *window = t->window[channel];

	for (size_t done = 0, n; done < count; done += n) {
		n = count - done < WINDOW ? count - done : WINDOW;
		memmove(window, window + n, (TRUE_PEAK_WINDOW - n) * sizeof *window);
		memcpy(window + TRUE_PEAK_WINDOW - n, samples + done, n * sizeof *window);
		true_peak_look(t, window);
	}
}
