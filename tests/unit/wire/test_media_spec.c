#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "model/media_spec.h"

static void
a_spec_of_zeros_is_the_mp3_that_msgq_makes(void **state)
{
	struct media_spec spec = { 0 };

	(void)state;
	assert_false(media_spec_is_settled(&spec));
	assert_int_equal(media_spec_settle(&spec, NULL), 0);
	assert_int_equal(spec.format, MEDIA_MP3);
	assert_int_equal(spec.sample_rate, 44100);
	assert_int_equal(spec.channels, 2);
	assert_int_equal(spec.bit_rate, 128000);
	assert_true(media_spec_is_settled(&spec));
}

static void
what_was_chosen_stays_and_the_rest_is_filled_in(void **state)
{
	struct media_spec low = { .sample_rate = 8000, .channels = 1 };
	struct media_spec wav = { .format = MEDIA_WAV, .sample_rate = 48000 };

	(void)state;
	assert_int_equal(media_spec_settle(&low, NULL), 0);
	assert_int_equal(low.channels, 1);
	assert_int_equal(low.bit_rate, 64000); /* the most that 8 kHz has below 128000 */
	assert_int_equal(media_spec_settle(&wav, NULL), 0);
	assert_int_equal(wav.sample_rate, 48000);
	assert_int_equal(wav.channels, 2);
	assert_int_equal(wav.bit_rate, 0);
}

static void
what_cannot_be_made_is_invalid_and_left_alone(void **state)
{
	static const struct media_spec none[] = {
		{ .sample_rate = 44101 },
		{ .sample_rate = -1 },
		{ .channels = 3 },
		{ .channels = -1 },
		{ .bit_rate = 128001 },
		{ .sample_rate = 8000, .bit_rate = 128000 },
		{ .sample_rate = 44100, .bit_rate = 8000 },
		{ .format = MEDIA_WAV, .bit_rate = 128000 },
		{ .format = MEDIA_FLAC },
		{ .format = MEDIA_UNKNOWN },
		{ .format = (enum media_format)1000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct media_spec spec = none[i];
		struct err e = ERR_NONE;

		assert_int_equal(media_spec_settle(&spec, &e), ERR_INVALID);
		assert_memory_equal(&spec, &none[i], sizeof spec);
		assert_string_not_equal(e.text, "");
		assert_false(media_spec_is_settled(&spec));
	}
}

static void
every_choice_of_the_table_can_be_made(void **state)
{
	(void)state;
	for (size_t f = 0; f < MEDIA_FORMATS; f++) {
		const struct media_format_info *info = media_format_info((enum media_format)f);

		for (size_t r = 0; r < info->rate_count; r++) {
			struct media_spec spec = { .format = (enum media_format)f,
						   .sample_rate = info->rates[r].sample_rate };

			assert_int_equal(media_spec_settle(&spec, NULL), 0);
			assert_in_range(spec.sample_rate, MEDIA_RATE_MIN, MEDIA_RATE_MAX);
			assert_in_range(spec.channels, 1, MEDIA_CHANNELS_MAX);
		}
	}
	assert_null(media_format_info(MEDIA_UNKNOWN));
}

static void
a_format_is_found_by_name_type_and_file(void **state)
{
	(void)state;
	for (size_t f = 0; f < MEDIA_FORMATS; f++) {
		const struct media_format_info *info = media_format_info((enum media_format)f);

		assert_int_equal(media_format_named(info->name), f);
		assert_int_equal(media_format_of_type(info->content_type), f);
	}
	assert_int_equal(media_format_of_file("/a.b/song.WAV"), MEDIA_WAV);
	assert_int_equal(media_format_of_file("song.mp4.mp3"), MEDIA_MP3);
	assert_int_equal(media_format_of_file("/a.wav/song"), MEDIA_UNKNOWN);
	assert_int_equal(media_format_of_file("wav"), MEDIA_UNKNOWN);
	assert_int_equal(media_format_of_file(""), MEDIA_UNKNOWN);
	assert_int_equal(media_format_named("MP3 "), MEDIA_UNKNOWN);
	assert_int_equal(media_format_of_type("text/html"), MEDIA_UNKNOWN);
}

static void
the_ceiling_of_a_results_bytes_follows_from_its_spec(void **state)
{
	const struct media_spec mp3 = {
		.format = MEDIA_MP3, .sample_rate = 44100, .channels = 2, .bit_rate = 128000
	};
	const struct media_spec wav = { .format = MEDIA_WAV, .sample_rate = 44100, .channels = 2 };
	const int64_t hours = INT64_C(36000) * 44100;

	(void)state;
	/* 2 s of 16000 bytes, a fiftieth more, and the head */
	assert_int_equal(media_spec_bytes_max(&mp3, 88200), 32000 + 640 + MEDIA_HEAD_MAX);
	assert_true(media_spec_bytes_max(&wav, hours) > hours * 4);
	assert_true(media_spec_bytes_max(&wav, INT64_MAX) > 0);
	assert_true(media_spec_bytes_max(&mp3, INT64_MAX) > 0);
}

static void
an_option_has_two_values_and_no_other(void **state)
{
	static const struct {
		enum media_option option;
		const char *value, *words; /* NULL: it is one */
	} rows[] = {
		{ MEDIA_OPTION_STRICT, "true", NULL },
		{ MEDIA_OPTION_STRICT, "false", NULL },
		{ MEDIA_OPTION_GAPS, "drop", NULL },
		{ MEDIA_OPTION_GAPS, "fill", NULL },
		{ MEDIA_OPTION_STRICT, "", "strict must be false or true" },
		{ MEDIA_OPTION_STRICT, "True", "strict must be false or true" },
		{ MEDIA_OPTION_GAPS, "true", "gaps must be fill or drop" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_spec spec = { .bit_rate = 7 };
		struct err e = ERR_NONE;
		int r = media_option_set(&spec, rows[i].option, rows[i].value, &e);

		assert_int_equal(r, rows[i].words ? ERR_INVALID : 0);
		assert_string_equal(e.text, rows[i].words ? rows[i].words : "");
		assert_int_equal(spec.strict, i == 0);
		assert_int_equal(spec.drop_gaps, i == 2);
		assert_int_equal(spec.bit_rate, 7);
	}
}

static void
options_have_names_and_stay_when_the_rest_is_filled_in(void **state)
{
	struct media_spec spec = { .strict = true, .drop_gaps = true };
	enum media_option option = MEDIA_OPTION_GAPS;

	(void)state;
	assert_int_equal(media_option_named("strict", &option), 0);
	assert_int_equal(option, MEDIA_OPTION_STRICT);
	assert_int_equal(media_option_named("Strict", &option), -1);
	assert_string_equal(media_option_name(MEDIA_OPTION_GAPS), "gaps");
	assert_int_equal(media_spec_settle(&spec, NULL), 0);
	assert_true(spec.strict && spec.drop_gaps);
	assert_true(media_spec_is_settled(&spec));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_of_zeros_is_the_mp3_that_msgq_makes),
		cmocka_unit_test(what_was_chosen_stays_and_the_rest_is_filled_in),
		cmocka_unit_test(what_cannot_be_made_is_invalid_and_left_alone),
		cmocka_unit_test(every_choice_of_the_table_can_be_made),
		cmocka_unit_test(an_option_has_two_values_and_no_other),
		cmocka_unit_test(options_have_names_and_stay_when_the_rest_is_filled_in),
		cmocka_unit_test(a_format_is_found_by_name_type_and_file),
		cmocka_unit_test(the_ceiling_of_a_results_bytes_follows_from_its_spec),
	};

	return cmocka_run_group_tests_name("media_spec", tests, NULL, NULL);
}
