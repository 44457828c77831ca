/* The stream that several encoders make together: whole, exact in length, and the same whoever made
 * it. */
#include "unit/worker/mp3_fixture.h"

static void
expect_one_bit_rate(const struct mp3_format *format, const struct mp3_frames *frames)
{
	int index = mp3_bit_rate_index(format, NULL);

	for (size_t i = 0; i < frames->count; i++)
		assert_int_equal(frames->list[i].head[2] >> 4, index);
}

static void
the_bytes_are_the_same_for_any_number_of_threads(void **state)
{
	int64_t samples = blocks(&cd128, 2) + 100 * 1152 + 345;
	struct made one = encode(&cd128, samples, 1);

	(void)state;
	for (int threads = 2; threads <= 8; threads *= 4) {
		struct made many = encode(&cd128, samples, threads);

		assert_int_equal(many.bytes.len, one.bytes.len);
		assert_memory_equal(many.bytes.data, one.bytes.data, one.bytes.len);
		str_free(&many.bytes);
	}
	str_free(&one.bytes);
}

static void
every_format_makes_a_whole_stream_of_one_bit_rate(void **state)
{
	static const struct mp3_format formats[] = {
		{ 44100, 2, 128000, MP3_VBR_OFF, 3 }, { 44100, 2, 320000, MP3_VBR_OFF, 5 },
		{ 44100, 1, 64000, MP3_VBR_OFF, 5 },  { 48000, 2, 192000, MP3_VBR_OFF, 5 },
		{ 32000, 2, 96000, MP3_VBR_OFF, 5 },  { 24000, 2, 64000, MP3_VBR_OFF, 5 },
		{ 22050, 1, 56000, MP3_VBR_OFF, 5 },  { 16000, 2, 64000, MP3_VBR_OFF, 5 },
		{ 11025, 1, 64000, MP3_VBR_OFF, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		/* two blocks, the second as short as can be */
		int64_t samples = blocks(&formats[i], 1) + 83 * 1152 + 777;
		struct made m = encode(&formats[i], samples, 2);
		struct mp3_frames frames = expect_stream(&formats[i], &m, samples);

		expect_one_bit_rate(&formats[i], &frames);
		mp3_frames_clear(&frames);
		str_free(&m.bytes);
	}
}

static void
lengths_around_every_edge_are_exact(void **state)
{
	static const struct mp3_format format = { 16000, 1, 64000, MP3_VBR_OFF, 7 };
	int64_t block = blocks(&format, 1), overlap = mp3_overlap(&format) * 576;
	const int64_t lengths[] = { 0,
				    1,
				    575,
				    576,
				    577,
				    block - 1,
				    block,
				    block + 1,
				    block + overlap - 1,
				    block + overlap,
				    block + overlap + 1,
				    2 * block,
				    2 * block + overlap - 577 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct made m = encode(&format, lengths[i], 2);
		struct mp3_frames frames = expect_stream(&format, &m, lengths[i]);
		struct mp3_frames alone = encode_alone(&format, lengths[i]);

		assert_int_equal(frames.count, alone.count);
		mp3_frames_clear(&alone);
		mp3_frames_clear(&frames);
		str_free(&m.bytes);
	}
}

static void
a_format_that_mpeg_has_not_is_refused(void **state)
{
	struct made made = { .bytes = STR_MAX(STREAM_MAX) };
	struct mp3_sink sink = { take_bytes, take_patch, &made };
	struct mp3_format odd = cd128;
	struct mp3 *mp3 = NULL;

	(void)state;
	odd.bit_rate = 129000;
	assert_int_equal(mp3_open(&odd, 2, &sink, &mp3, NULL), ERR_INVALID);
	assert_null(mp3);
	str_free(&made.bytes);
}

static void
damaged_streams_are_refused(void **state)
{
	struct mp3_frames alone = encode_alone(&cd128, 50000), frames;
	struct made m = repack_alone(&cd128, &alone);
	uint8_t *bytes = (uint8_t *)m.bytes.data;

	(void)state;
	assert_int_equal(mp3_frames_unpack(&cd128, bytes, m.bytes.len - 1, &frames, NULL),
			 ERR_CORRUPT);
	assert_int_equal(mp3_frames_unpack(&cd128, bytes + 417, m.bytes.len - 417, &frames, NULL),
			 ERR_CORRUPT);
	bytes[0] = 0xfe;
	assert_int_equal(mp3_frames_unpack(&cd128, bytes, m.bytes.len, &frames, NULL), ERR_CORRUPT);
	mp3_frames_clear(&alone);
	str_free(&m.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_the_same_for_any_number_of_threads),
		cmocka_unit_test(every_format_makes_a_whole_stream_of_one_bit_rate),
		cmocka_unit_test(lengths_around_every_edge_are_exact),
		cmocka_unit_test(a_format_that_mpeg_has_not_is_refused),
		cmocka_unit_test(damaged_streams_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
