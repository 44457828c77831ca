#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/writer/wav_head.h"

static const struct media_spec stereo = { .format = MEDIA_WAV,
					  .sample_rate = 44100,
					  .channels = 2 };
static const struct media_spec mono = { .format = MEDIA_WAV, .sample_rate = 8000, .channels = 1 };

static void
a_head_names_the_lengths_behind_it(void **state)
{
	/* clang-format off */
	static const char expected[WAV_HEAD_BYTES + 1] =
		"RIFF\x54\0\0\0" "WAVE" /* 84 bytes follow the length */
		"JUNK\x1c\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"fmt \x10\0\0\0" "\1\0" "\2\0" /* PCM, two channels */
		"\x44\xac\0\0" "\x10\xb1\2\0" "\4\0" "\x10\0" /* 44100 Hz, 176400 bytes a second */
		"data\x0c\0\0\0";
	/* clang-format on */
	uint8_t head[WAV_HEAD_BYTES];

	(void)state;
	wav_head_write(&stereo, 3, head);
	assert_memory_equal(head, expected, sizeof head);
	wav_head_write(&mono, 3, head);
	assert_memory_equal(head + 58, "\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\6\0\0\0", 22);
}

static void
past_four_gib_the_head_is_rf64s(void **state)
{
	/* 10 h: 1587600000 samples, 6350400000 bytes */
	/* clang-format off */
	static const char expected[48 + 1] =
		"RF64\xff\xff\xff\xff" "WAVE"
		"ds64\x1c\0\0\0"
		"\x48\x6a\x83\x7a\1\0\0\0" /* 6350400072: the file behind the first 8 bytes */
		"\x00\x6a\x83\x7a\1\0\0\0" /* 6350400000: the sound */
		"\x80\xda\xa0\x5e\0\0\0\0" /* 1587600000 samples */
		"\0\0\0\0";
	/* clang-format on */
	uint8_t head[WAV_HEAD_BYTES];

	(void)state;
	wav_head_write(&stereo, 1587600000, head);
	assert_memory_equal(head, expected, sizeof expected - 1);
	assert_memory_equal(head + 72, "data\xff\xff\xff\xff", 8);
}

static void
the_last_length_that_riff_can_say_is_riffs(void **state)
{
	/* file length 0xfffffffe, the largest even one that is not RF64's mark */
	int64_t last = ((INT64_C(0xfffffffe) - 72) / 2);
	uint8_t head[WAV_HEAD_BYTES];

	(void)state;
	wav_head_write(&mono, last, head);
	assert_memory_equal(head, "RIFF\xfe\xff\xff\xffWAVEJUNK", 16);
	wav_head_write(&mono, last + 1, head);
	assert_memory_equal(head, "RF64\xff\xff\xff\xffWAVE", 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_names_the_lengths_behind_it),
		cmocka_unit_test(past_four_gib_the_head_is_rf64s),
		cmocka_unit_test(the_last_length_that_riff_can_say_is_riffs),
	};

	return cmocka_run_group_tests_name("wav_head", tests, NULL, NULL);
}
