/* The limiter: what is below full scale passes to the bit, what is above comes out below the
 * ceiling, whatever the pieces. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/sound/limiter.h"
#include "worker/sound/true_peak.h"

#define PI 3.14159265358979323846
#define RATE 44100
#define SAMPLES (RATE * 2)

static const struct media_spec wav = { .format = MEDIA_WAV, .sample_rate = RATE, .channels = 2 };

struct heard {
	float planes[2][SAMPLES];
	size_t count;
};

static enum worker_failure
heard_take(void *arg, float *const planes[MEDIA_CHANNELS_MAX], size_t count, struct err *e)
{
	struct heard *h = arg;

	(void)e;
	assert_true(h->count + count <= SAMPLES);
	for (int c = 0; c < 2; c++)
		memcpy(h->planes[c] + h->count, planes[c], count * sizeof(float));
	h->count += count;
	return WORKER_FAILURE_NONE;
}

/* A tone whose level is 0.5, and `loud` in the second quarter. */
static void
tone_write(struct heard *ret, float loud)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		float level = i / (SAMPLES / 4) == 1 ? loud : 0.5F;

		ret->planes[0][i] = level * (float)sin(2 * PI * 997 * (double)i / RATE);
		ret->planes[1][i] = level * (float)cos(2 * PI * 3001 * (double)i / RATE);
	}
	ret->count = SAMPLES;
}

static void
limit(struct heard *in, size_t piece, struct heard *ret, struct warnings *warnings)
{
	SCOPED(limiter_close_p) struct limiter *l = NULL;
	struct err e = ERR_NONE;

	ret->count = 0;
	assert_int_equal(limiter_open(&wav, warnings, heard_take, ret, &l, &e), 0);
	for (size_t at = 0; at < SAMPLES; at += piece) {
		size_t count = SAMPLES - at < piece ? SAMPLES - at : piece;
		float *planes[2] = { in->planes[0] + at, in->planes[1] + at };

		assert_int_equal(limiter_put(l, planes, count, &e), 0);
	}
	assert_int_equal(limiter_finish(l, &e), 0);
	assert_int_equal(ret->count, SAMPLES);
}

static float
peak_of(const struct heard *h)
{
	struct true_peak peak;

	true_peak_init(&peak);
	for (int c = 0; c < 2; c++)
		true_peak_add(&peak, c, h->planes[c], h->count);
	return peak.peak;
}

static void
what_is_below_full_scale_passes_to_the_bit(void **state)
{
	static struct heard in, out;
	struct warnings warnings = { 0 };

	(void)state;
	tone_write(&in, 1);
	limit(&in, 1000, &out, &warnings);
	assert_memory_equal(in.planes, out.planes, sizeof in.planes);
	assert_int_equal(warnings.count, 0);
}

static void
what_is_above_comes_out_below_the_ceiling_and_is_said(void **state)
{
	static const float louds[] = { 1.01F, 1.5F, 4, 16 };
	static struct heard in, out;

	(void)state;
	for (size_t i = 0; i < sizeof louds / sizeof louds[0]; i++) {
		struct warnings warnings = { 0 };

		tone_write(&in, louds[i]);
		limit(&in, 1000, &out, &warnings);
		assert_true(peak_of(&out) <= LIMITER_CEILING * 1.003F);
		assert_int_equal(warnings.count, 1);
		assert_int_equal(warnings.list[0].code, WARNING_LEVEL_LIMITED);
		assert_in_range(warnings.list[0].at_ms, 450, 501);
	}
}

static void
its_level_comes_back(void **state)
{
	static struct heard in, out;
	struct warnings warnings = { 0 };
	size_t back = SAMPLES / 8 * 7;

	(void)state;
	tone_write(&in, 4);
	limit(&in, 1000, &out, &warnings);
	for (size_t i = 0; i < SAMPLES / 4 - 600; i++)
		assert_true(fabsf(in.planes[0][i] - out.planes[0][i]) <= 0);
	assert_memory_equal(in.planes[0] + back, out.planes[0] + back,
			    (SAMPLES - back) * sizeof(float));
}

static void
the_pieces_change_no_bit(void **state)
{
	static const size_t pieces[] = { 1, 63, 64, 65, 4096, LIMITER_PUT_MAX };
	static struct heard in, first, out;
	struct warnings warnings = { 0 };

	(void)state;
	tone_write(&in, 3);
	limit(&in, 1000, &first, &warnings);
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		limit(&in, pieces[i], &out, &warnings);
		assert_memory_equal(first.planes, out.planes, sizeof out.planes);
	}
}

static void
a_peak_at_the_very_end_is_limited_too(void **state)
{
	static struct heard in, out;
	struct warnings warnings = { 0 };

	(void)state;
	tone_write(&in, 0.5F);
	in.planes[0][SAMPLES - 1] = 2;
	limit(&in, 1000, &out, &warnings);
	assert_true(fabsf(out.planes[0][SAMPLES - 1]) <= 0.9F);
	assert_int_equal(warnings.count, 1);
	assert_in_range(warnings.list[0].at_ms + warnings.list[0].ms, 1000 * SAMPLES / RATE - 5,
			1000 * SAMPLES / RATE);
}

static void
a_peak_at_the_very_start_is_limited_too(void **state)
{
	static struct heard in, out;

	(void)state;
	for (size_t piece = 1; piece <= LIMITER_PUT_MAX; piece *= 8) {
		struct warnings warnings = { 0 };

		tone_write(&in, 0.5F);
		for (size_t k = 0; k < SAMPLES / 8; k++)
			in.planes[0][k] *= 8;
		limit(&in, piece, &out, &warnings);
		assert_true(peak_of(&out) <= LIMITER_CEILING * 1.003F);
		assert_int_equal(warnings.count, 1);
		assert_int_equal(warnings.list[0].at_ms, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_below_full_scale_passes_to_the_bit),
		cmocka_unit_test(what_is_above_comes_out_below_the_ceiling_and_is_said),
		cmocka_unit_test(its_level_comes_back),
		cmocka_unit_test(the_pieces_change_no_bit),
		cmocka_unit_test(a_peak_at_the_very_end_is_limited_too),
		cmocka_unit_test(a_peak_at_the_very_start_is_limited_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
