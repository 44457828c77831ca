/* The meter against libebur128, which is the judge, and against what EBU Tech 3341 says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ebur128.h>

#include "base/scope.h"
#include "worker/sound/meter.h"

#define PI 3.14159265358979323846
#define PIECE_MAX 8192

/* Samples of one channel at time t. */
typedef double (*signal_fn)(double t, int channel, uint32_t *random);

static double
noise(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return (double)(*random >> 8) / (1 << 23) - 1;
}

static double
tone(double t, int channel, uint32_t *random)
{
	(void)channel;
	(void)random;
	return 0.1 * sin(2 * PI * 1000 * t);
}

/* A quarter of the rate, 45 degrees off: the samples never meet the crests, 3 dB above them. */
static double
between_samples(double t, int channel, uint32_t *random)
{
	(void)random;
	return channel == 0 ? 0.5 * sin(2 * PI * 11025 * t + PI / 4) : 0;
}

static double
music(double t, int channel, uint32_t *random)
{
	double level = t < 4 ? 0.02 : fmod(t, 7) < 2 ? 0.9 : 0.1;

	return level * (0.6 * sin(2 * PI * t * (110 + 55 * floor(t))) +
			0.3 * sin(2 * PI * t * (3000 + 500 * channel)) + 0.1 * noise(random));
}

static double
hiss(double t, int channel, uint32_t *random)
{
	(void)t;
	return (channel == 0 ? 1.2 : 0.3) * noise(random);
}

static double
speech(double t, int channel, uint32_t *random)
{
	(void)channel;
	return fmod(t, 3) < 1.7 ? 0.2 * noise(random) * fabs(sin(9 * t)) : 0;
}

static double
nothing(double t, int channel, uint32_t *random)
{
	(void)t;
	(void)channel;
	(void)random;
	return 0;
}

struct measured {
	struct job_loudness ours, theirs;
};

static struct job_loudness
ask(ebur128_state *judge, int channels)
{
	struct job_loudness l = { true, true, true, 0, 0, 0 };
	double peak = 0, most = 0;

	assert_int_equal(ebur128_loudness_global(judge, &l.integrated_lufs), 0);
	assert_int_equal(ebur128_loudness_range(judge, &l.range_lu), 0);
	for (int c = 0; c < channels; c++) {
		assert_int_equal(ebur128_true_peak(judge, (unsigned)c, &peak), 0);
		most = fmax(most, peak);
	}
	l.true_peak_dbtp = 20 * log10(most);
	return l;
}

/* In pieces of all lengths, as a decoder gives them. */
static struct measured
measure(signal_fn signal, int rate, int channels, double seconds)
{
	static float planes[2][PIECE_MAX], woven[2 * PIECE_MAX];
	ebur128_state *judge =
		ebur128_init((unsigned)channels, (unsigned long)rate,
			     EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
	SCOPED(meter_close_p) struct meter *meter = NULL;
	int64_t count = (int64_t)(seconds * rate), piece = 1;
	uint32_t random = 1;
	struct measured ret;

	assert_non_null(judge);
	assert_int_equal(meter_open(rate, channels, &meter, NULL), 0);
	for (int64_t at = 0; at < count; at += piece) {
		piece = (at * 7 + 13) % PIECE_MAX + 1;
		piece = count - at < piece ? count - at : piece;
		for (int64_t i = 0; i < piece; i++)
			for (int c = 0; c < channels; c++)
				woven[i * channels + c] = planes[c][i] =
					(float)signal((double)(at + i) / rate, c, &random);
		meter_add(meter, (float *const[]){ planes[0], planes[1] }, (size_t)piece);
		assert_int_equal(ebur128_add_frames_float(judge, woven, (size_t)piece), 0);
	}
	ret = (struct measured){ meter_result(meter), ask(judge, channels) };
	ebur128_destroy(&judge);
	return ret;
}

static void
it_says_what_libebur128_says(void **state)
{
	static const signal_fn signals[] = { tone, between_samples, music, hiss, speech };
	static const struct {
		int rate, channels;
	} formats[] = { { 44100, 2 }, { 48000, 2 }, { 22050, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals) * ARRAY_LEN(formats); i++) {
		size_t f = i / ARRAY_LEN(signals);
		struct measured m = measure(signals[i % ARRAY_LEN(signals)], formats[f].rate,
					    formats[f].channels, 31.7);

		assert_true(m.ours.has_integrated && m.ours.has_range && m.ours.has_true_peak);
		if (fabs(m.ours.integrated_lufs - m.theirs.integrated_lufs) > 0.02 ||
		    fabs(m.ours.range_lu - m.theirs.range_lu) > 0.1 ||
		    fabs(m.ours.true_peak_dbtp - m.theirs.true_peak_dbtp) > 0.01)
			fail_msg("%zu: %f LUFS, %f LU, %f dB and not %f, %f, %f", i,
				 m.ours.integrated_lufs, m.ours.range_lu, m.ours.true_peak_dbtp,
				 m.theirs.integrated_lufs, m.theirs.range_lu,
				 m.theirs.true_peak_dbtp);
	}
}

/* EBU Tech 3341: 1 kHz in both channels at -20 dBFS is -20 LUFS. */
static void
a_tone_is_as_loud_as_the_standard_says(void **state)
{
	struct job_loudness l = measure(tone, 48000, 2, 20).ours;

	(void)state;
	assert_true(fabs(l.integrated_lufs + 20) < 0.1 && l.range_lu < 0.1);
	assert_true(fabs(l.true_peak_dbtp + 20) < 0.1);
}

static void
crests_between_the_samples_are_seen(void **state)
{
	struct job_loudness l = measure(between_samples, 44100, 2, 5).ours;

	(void)state;
	assert_true(fabs(l.true_peak_dbtp + 6.02) < 0.3);
}

static void
silence_has_no_loudness(void **state)
{
	struct job_loudness l = measure(nothing, 44100, 2, 10).ours;

	(void)state;
	assert_false(l.has_integrated || l.has_range || l.has_true_peak);
}

static void
a_sound_too_short_for_it_has_no_range(void **state)
{
	struct job_loudness l = measure(music, 44100, 2, 2.5).ours;

	(void)state;
	assert_true(l.has_integrated && l.has_true_peak);
	assert_false(l.has_range);
	l = measure(music, 44100, 2, 0.01).ours;
	assert_false(l.has_integrated || l.has_range);
	assert_true(l.has_true_peak);
}

static void
what_is_no_number_costs_its_moment_only(void **state)
{
	static float piece[4410];
	SCOPED(meter_close_p) struct meter *meter = NULL;
	struct job_loudness l;

	(void)state;
	assert_int_equal(meter_open(44100, 1, &meter, NULL), 0);
	for (int i = 0; i < 100; i++) {
		for (int at = 0; at < 4410; at++)
			piece[at] = (float)(0.1 * sin(2 * PI * 1000 * at / 44100));
		if (i == 50)
			piece[7] = (float)NAN;
		meter_add(meter, (float *const[]){ piece, NULL }, 4410);
	}
	l = meter_result(meter);
	assert_true(l.has_integrated && fabs(l.integrated_lufs + 23) < 0.2);
	assert_true(l.has_true_peak && fabs(l.true_peak_dbtp + 20) < 0.2);
	piece[0] = (float)INFINITY;
	meter_add(meter, (float *const[]){ piece, NULL }, 4410);
	assert_false(meter_result(meter).has_true_peak);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_libebur128_says),
		cmocka_unit_test(a_tone_is_as_loud_as_the_standard_says),
		cmocka_unit_test(crests_between_the_samples_are_seen),
		cmocka_unit_test(silence_has_no_loudness),
		cmocka_unit_test(a_sound_too_short_for_it_has_no_range),
		cmocka_unit_test(what_is_no_number_costs_its_moment_only),
	};

	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
