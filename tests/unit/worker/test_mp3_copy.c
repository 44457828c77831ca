/* Which frames of an mp3 may go on as they are, and what the header in front of them says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/mp3/mp3.h"
#include "worker/mp3/copy.h"

#define STREAM_MAX ((size_t)1 << 20)
#define SAMPLES 44100

static const struct mp3_format cd128 = { 44100, 2, 128000, MP3_VBR_OFF, 5 };

static void
take_bytes(void *arg, const void *data, size_t len)
{
	str_append(arg, data, len);
}

static void
take_patch(void *arg, const void *data, size_t len)
{
	memcpy(((struct str *)arg)->data, data, len);
}

/* A stream of our encoder, its header frame with it. */
static struct str
encode(const struct mp3_format *format)
{
	static float samples[SAMPLES];
	struct str made = STR_MAX(STREAM_MAX);
	struct mp3_sink sink = { take_bytes, take_patch, &made };
	struct mp3 *mp3 = NULL;

	for (int i = 0; i < SAMPLES; i++)
		samples[i] = 0.3F * (float)sin(i * 1e-6 * i);
	assert_int_equal(mp3_open(format, 1, &sink, &mp3, NULL), 0);
	assert_int_equal(mp3_encode(mp3, (float *[]){ samples, samples }, SAMPLES, NULL), 0);
	assert_int_equal(mp3_finish(mp3, NULL), 0);
	mp3_close(mp3);
	assert_int_equal(str_error(&made, NULL), 0);
	return made;
}

static size_t
length_at(const struct mp3_format *format, const struct str *stream, size_t at)
{
	const uint8_t *head = (const uint8_t *)stream->data + at;

	return mp3_frame_bytes(format, head[2] >> 4, (head[2] & 2) != 0);
}

/* Copies all frames of a stream behind its header frame. */
static int64_t
copy_all(const struct mp3_format *format, const struct str *stream, struct mp3_copy *ret)
{
	size_t at = length_at(format, stream, 0), len;
	int64_t taken = 0;

	assert_int_equal(mp3_copy_begin(ret, format, NULL), 0);
	for (; at < stream->len; at += len, taken++) {
		len = length_at(format, stream, at);
		assert_true(len > 0 && at + len <= stream->len);
		assert_true(mp3_copy_take(ret, (const uint8_t *)stream->data + at, len));
	}
	return taken;
}

static void
the_encoders_own_streams_are_taken_whole(void **state)
{
	const struct mp3_format formats[] = {
		cd128,
		{ 44100, 1, 128000, MP3_VBR_OFF, 5 },
		{ 48000, 2, 320000, MP3_VBR_OFF, 5 },
		{ 32000, 2, 128000, MP3_VBR_OFF, 5 },
		{ 22050, 2, 64000, MP3_VBR_OFF, 5 },
		{ 11025, 1, 64000, MP3_VBR_OFF, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct str stream = encode(&formats[i]);
		struct mp3_copy c;
		int64_t taken = copy_all(&formats[i], &stream, &c);

		assert_true(taken > 30);
		assert_int_equal(c.totals.frames, taken);
		assert_int_equal(c.totals.bytes,
				 (int64_t)(stream.len - length_at(&formats[i], &stream, 0)));
		str_free(&stream);
	}
}

static unsigned
number(const uint8_t *at, int bytes)
{
	unsigned ret = 0;

	while (bytes-- > 0)
		ret = ret << 8 | *at++;
	return ret;
}

/* Beside what only the encoder can know, the header is that of the stream. */
static void
the_header_says_what_the_encoders_own_says(void **state)
{
	struct str stream = encode(&cd128);
	const uint8_t *theirs = (const uint8_t *)stream.data;
	uint8_t ours[MP3_FRAME_MAX];
	struct mp3_bounds bounds;
	struct mp3_copy c;
	size_t len;

	(void)state;
	(void)copy_all(&cd128, &stream, &c);
	bounds.delay = (int)(number(theirs + 36 + 141, 3) >> 12);
	bounds.padding = (int)(number(theirs + 36 + 141, 3) & 0xfff);
	len = mp3_copy_header(&c, &bounds, ours);
	assert_int_equal(len, length_at(&cd128, &stream, 0));
	assert_memory_equal(ours, theirs, 3);
	assert_memory_equal(ours + 36, theirs + 36, 16 + 100); /* name, lengths, seek table */
	assert_memory_equal(ours + 36 + 120, "LAME", 4);
	assert_memory_equal(ours + 36 + 140, theirs + 36 + 140, 4); /* bit rate, bounds */
	assert_memory_equal(ours + 36 + 148, theirs + 36 + 148, 6); /* length, the music's CRC */
	assert_int_equal(number(ours + 36 + 154, 2), mp3_crc(0, ours, 36 + 154));
	str_free(&stream);
}

static void
without_bounds_players_leave_nothing_out(void **state)
{
	struct str stream = encode(&cd128);
	uint8_t header[MP3_FRAME_MAX];
	struct mp3_copy c;

	(void)state;
	(void)copy_all(&cd128, &stream, &c);
	assert_true(mp3_copy_header(&c, NULL, header) > 0);
	assert_int_equal(number(header + 36 + 120, 4), 0);
	assert_int_equal(number(header + 36 + 141, 3), 0);
	str_free(&stream);
}

/* A change of a frame that must not be taken, in front of which n were. */
struct odd {
	const char *what;
	int n;
	size_t at;
	uint8_t mask, value;
	size_t longer; /* 1 = as long as it is */
};

static void
a_frame_that_is_not_what_was_asked_for_is_refused(void **state)
{
	static const struct odd odds[] = {
		{ "no sync", 3, 0, 0xff, 0xfe, 1 },
		{ "MPEG-2", 3, 1, 0x18, 0x10, 1 },
		{ "layer II", 3, 1, 0x06, 0x04, 1 },
		{ "free format", 3, 2, 0xf0, 0x00, 1 },
		{ "112 kbit/s", 3, 2, 0xf0, 0x80, 1 },
		{ "160 kbit/s", 3, 2, 0xf0, 0xa0, 1 },
		{ "no bit rate at all", 3, 2, 0xf0, 0xf0, 1 },
		{ "48 kHz", 3, 2, 0x0c, 0x04, 1 },
		{ "mono", 3, 3, 0xc0, 0xc0, 1 },
		{ "an emphasis that there is none of", 3, 3, 0x03, 0x02, 1 },
		{ "a CRC that it does not have", 3, 1, 0x01, 0x00, 1 },
		{ "a byte less", 3, 0, 0, 0, 0 },
		{ "a byte more", 3, 0, 0, 0, 2 },
		{ "main data in front of the stream", 0, 4, 0xff, 0xff, 1 },
		{ "main data behind the frame's end", 0, 6, 0x0f, 0x0f, 1 },
		{ "a second header frame", -1, 0, 0, 0, 1 },
	};
	struct str stream = encode(&cd128);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odds); i++) {
		const struct odd *o = &odds[i];
		size_t at = o->n < 0 ? 0 : length_at(&cd128, &stream, 0), len;
		uint8_t frame[MP3_FRAME_MAX + 1] = { 0 };
		struct mp3_copy c, before;

		assert_int_equal(mp3_copy_begin(&c, &cd128, NULL), 0);
		for (int n = 0; n < o->n; n++, at += len) {
			len = length_at(&cd128, &stream, at);
			assert_true(mp3_copy_take(&c, (const uint8_t *)stream.data + at, len));
		}
		len = length_at(&cd128, &stream, at);
		memcpy(frame, stream.data + at, len);
		frame[o->at] = (uint8_t)((frame[o->at] & ~o->mask) | o->value);
		before = c;
		if (mp3_copy_take(&c, frame, len + o->longer - 1))
			fail_msg("taken: %s", o->what);
		assert_memory_equal(&c, &before, sizeof c);
	}
	str_free(&stream);
}

static void
a_frame_of_any_length_is_looked_at_within_its_bytes(void **state)
{
	struct str stream = encode(&cd128);
	size_t first = length_at(&cd128, &stream, 0);

	(void)state;
	for (size_t len = 0; len < length_at(&cd128, &stream, first); len++) {
		SCOPED_FREE uint8_t *exact = malloc(len + 1);
		struct mp3_copy c;

		assert_non_null(exact);
		memcpy(exact, stream.data + first, len);
		exact = realloc(exact,
				len > 0 ? len : 1); /* a sanitizer sees the first byte behind */
		assert_int_equal(mp3_copy_begin(&c, &cd128, NULL), 0);
		assert_false(mp3_copy_take(&c, exact, len));
	}
	str_free(&stream);
}

/* Header, CRC and side info as LAME wrote them (-p), with nothing in the main data. */
static void
a_crc_must_be_right(void **state)
{
	static const uint8_t start[] = { 0xff, 0xfa, 0x90, 0x44, 0x97, 0x04, 0x00, 0x00, 0x02, 0xa4,
					 0x15, 0x4a, 0x95, 0x6d, 0x80, 0x00, 0x37, 0xc0, 0xaa, 0xb2,
					 0xa6, 0x0c, 0x00, 0x0d, 0x78, 0xa7, 0x67, 0xb9, 0x97, 0x80,
					 0x11, 0xa3, 0x2d, 0xac, 0x43, 0x30, 0x30, 0x00 };
	struct mp3_copy c;
	uint8_t frame[417] = { 0 };

	(void)state;
	memcpy(frame, start, sizeof start);
	assert_int_equal(mp3_copy_begin(&c, &cd128, NULL), 0);
	assert_true(mp3_copy_take(&c, frame, sizeof frame));
	for (size_t i = 2; i < sizeof start; i++) {
		frame[i] ^= 1;
		assert_false(mp3_copy_take(&c, frame, sizeof frame));
		frame[i] ^= 1;
	}
	frame[38 + 6] ^= 1; /* main data: not in the sum */
	assert_true(mp3_copy_take(&c, frame, sizeof frame));
}

static void
what_is_no_cbr_format_cannot_begin(void **state)
{
	struct mp3_format odd_rate = cd128, odd_bits = cd128;
	struct mp3_copy c;

	(void)state;
	odd_rate.sample_rate = 44000;
	odd_bits.bit_rate = 100000;
	assert_int_equal(mp3_copy_begin(&c, &odd_rate, NULL), ERR_INVALID);
	assert_int_equal(mp3_copy_begin(&c, &odd_bits, NULL), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_encoders_own_streams_are_taken_whole),
		cmocka_unit_test(the_header_says_what_the_encoders_own_says),
		cmocka_unit_test(without_bounds_players_leave_nothing_out),
		cmocka_unit_test(a_frame_that_is_not_what_was_asked_for_is_refused),
		cmocka_unit_test(a_frame_of_any_length_is_looked_at_within_its_bytes),
		cmocka_unit_test(a_crc_must_be_right),
		cmocka_unit_test(what_is_no_cbr_format_cannot_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
