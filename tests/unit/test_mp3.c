/* The stream that several encoders make together: whole, exact in length, as good as one encoder's,
 * and the same whoever made it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>

#include "base/scope.h"
#include "base/str.h"
#include "converter/mp3/mp3.h"
#include "converter/mp3/mp3_block.h"
#include "converter/mp3/mp3_lame.h"
#include "converter/mp3/mp3_repack.h"

#define STREAM_MAX ((size_t)16 << 20)
#define PIECE 4096
/* Of LAME and of a decoder. */
#define DELAY (576 + 529)

static const struct mp3_format cd128 = { 44100, 2, 128000, MP3_VBR_OFF, 3 };

/* Tones that come and go, with noise, silences and jumps of level: each block starts in another
 * state than the one that the encoder in front of it is in. */
struct sound {
	int64_t at;
	uint32_t random;
	int rate;
};

static float
next_sample(struct sound *s, int channel)
{
	double t = (double)s->at / s->rate;
	int part = (int)(t * 3) % 11;
	double level = part == 4 ? 0 : part == 7 ? 0.01 : part == 9 ? 0.9 : 0.3;
	double noise;

	s->random = s->random * 1664525 + 1013904223;
	noise = (double)(s->random >> 8) / (1 << 24) - 0.5;
	return (float)(level * (0.6 * sin(t * 6.283 * (220 + 40 * part)) +
				0.2 * sin(t * 6.283 * (1870 + 300 * channel)) +
				(part % 3 == 0 ? 0.4 : 0.02) * noise));
}

static void
fill(struct sound *s, float planes[2][PIECE], size_t count)
{
	for (size_t i = 0; i < count; i++, s->at++) {
		planes[0][i] = next_sample(s, 0);
		planes[1][i] = next_sample(s, 1);
	}
}

struct made {
	struct str bytes; /* owned */
	int head_patches;
};

static void
take_bytes(void *arg, const void *data, size_t len)
{
	str_append(&((struct made *)arg)->bytes, data, len);
}

static void
take_patch(void *arg, const void *data, size_t len)
{
	struct made *m = arg;

	assert_true(len <= m->bytes.len);
	memcpy(m->bytes.data, data, len);
	m->head_patches++;
}

static struct made
encode(const struct mp3_format *format, int64_t samples, int threads)
{
	struct made made = { .bytes = STR_MAX(STREAM_MAX) };
	struct mp3_sink sink = { take_bytes, take_patch, &made };
	struct sound sound = { .rate = format->sample_rate };
	static float planes[2][PIECE];
	struct mp3 *mp3 = NULL;

	assert_int_equal(mp3_open(format, threads, &sink, &mp3, NULL), 0);
	while (sound.at < samples) {
		size_t n = samples - sound.at < PIECE ? (size_t)(samples - sound.at) : PIECE;

		fill(&sound, planes, n);
		assert_int_equal(mp3_encode(mp3, (float *const[]){ planes[0], planes[1] }, n, NULL),
				 0);
	}
	assert_int_equal(mp3_finish(mp3, NULL), 0);
	mp3_close(mp3);
	assert_int_equal(str_error(&made.bytes, NULL), 0);
	assert_int_equal(made.head_patches, 1);
	return made;
}

/* The same samples by one encoder. */
static struct mp3_frames
encode_alone(const struct mp3_format *format, int64_t samples)
{
	struct sound sound = { .rate = format->sample_rate };
	static float planes[2][PIECE];
	struct mp3_frames frames;
	struct pcm pcm = { 0 };

	while (sound.at < samples) {
		size_t n = samples - sound.at < PIECE ? (size_t)(samples - sound.at) : PIECE;

		fill(&sound, planes, n);
		assert_int_equal(pcm_put(&pcm, format->channels,
					 (float *const[]){ planes[0], planes[1] }, n, NULL),
				 0);
	}
	assert_int_equal(mp3_lame_encode(format, &pcm, LAME_END_LAST, &frames, NULL), 0);
	return frames;
}

static unsigned
big_endian(const uint8_t *at, int bytes)
{
	unsigned value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

struct header {
	size_t len;
	unsigned frames, bytes, delay, padding, crc;
	const uint8_t *tag;
};

static struct header
header_of(const struct mp3_format *format, const struct made *m)
{
	const uint8_t *bytes = (const uint8_t *)m->bytes.data;
	struct header h = { .len = mp3_frame_bytes(format, bytes[2] >> 4, (bytes[2] & 2) != 0) };

	h.tag = bytes + MP3_HEADER_BYTES + mp3_measure(format).side_bytes;
	assert_memory_equal(h.tag, format->vbr == MP3_VBR_OFF ? "Info" : "Xing", 4);
	h.frames = big_endian(h.tag + 8, 4);
	h.bytes = big_endian(h.tag + 12, 4);
	h.delay = big_endian(h.tag + 141, 3) >> 12;
	h.padding = big_endian(h.tag + 141, 3) & 0xfff;
	h.crc = big_endian(h.tag + 152, 2);
	return h;
}

/* Checks all that can be read off the stream; the frames are the caller's. */
static struct mp3_frames
expect_stream(const struct mp3_format *format, const struct made *m, int64_t samples)
{
	const uint8_t *bytes = (const uint8_t *)m->bytes.data;
	struct header h = header_of(format, m);
	struct mp3_frames frames;

	assert_int_equal(
		mp3_frames_unpack(format, bytes + h.len, m->bytes.len - h.len, &frames, NULL), 0);
	assert_int_equal(h.frames, frames.count);
	assert_int_equal(h.bytes, m->bytes.len);
	assert_int_equal(h.crc, mp3_crc(0, bytes + h.len, m->bytes.len - h.len));
	assert_int_equal(big_endian(h.tag + 154, 2),
			 mp3_crc(0, bytes, (size_t)(h.tag - bytes) + 154));
	assert_int_equal((int64_t)frames.count * mp3_measure(format).frame_samples - h.delay -
				 h.padding,
			 samples);
	for (int i = 1; i < 100; i++)
		assert_true(h.tag[16 + i] >= h.tag[15 + i]);
	return frames;
}

static void
expect_one_bit_rate(const struct mp3_format *format, const struct mp3_frames *frames)
{
	int index = mp3_bit_rate_index(format, NULL);

	for (size_t i = 0; i < frames->count; i++)
		assert_int_equal(frames->list[i].head[2] >> 4, index);
}

static int64_t
blocks(const struct mp3_format *format, int count)
{
	return (int64_t)count * MP3_BLOCK_FRAMES * mp3_measure(format).frame_samples;
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

/* All but where the main data lies and how long the frame is. */
static void
expect_same_frame(const struct mp3_frames *a, const struct mp3_frames *b, size_t i, size_t side)
{
	const struct mp3_frame *x = &a->list[i], *y = &b->list[i];

	assert_int_equal(x->main_len, y->main_len);
	assert_int_equal(x->head[5] & 0x7f, y->head[5] & 0x7f);
	assert_memory_equal(x->head + 6, y->head + 6, side - 2);
	assert_memory_equal(a->bytes + x->main_at, b->bytes + y->main_at, x->main_len);
}

static void
a_variable_bit_rate_is_what_one_encoder_makes(void **state)
{
	static const struct mp3_format v2 = { 44100, 2, 128000, 2, 5 };
	int64_t samples = blocks(&v2, 2) + 200 * 1152 + 321;
	struct made m = encode(&v2, samples, 2);
	struct mp3_frames frames = expect_stream(&v2, &m, samples);
	struct mp3_frames alone = encode_alone(&v2, samples);

	(void)state;
	assert_int_equal(frames.count, alone.count);
	for (size_t i = 0; i < frames.count; i++)
		expect_same_frame(&frames, &alone, i, 32);
	mp3_frames_clear(&alone);
	mp3_frames_clear(&frames);
	str_free(&m.bytes);
}

/* Decoding. */

struct decoded {
	float *left; /* owned */
	size_t count;
};

static void
decode_frame(AVCodecContext *decoder, AVPacket *packet, AVFrame *frame, struct decoded *ret)
{
	assert_int_equal(avcodec_send_packet(decoder, packet), 0);
	while (avcodec_receive_frame(decoder, frame) == 0) {
		memcpy(ret->left + ret->count, frame->extended_data[0],
		       (size_t)frame->nb_samples * sizeof(float));
		ret->count += (size_t)frame->nb_samples;
	}
}

static struct decoded
decode(const struct mp3_format *format, const uint8_t *bytes, size_t len)
{
	const AVCodec *codec = avcodec_find_decoder_by_name("mp3float");
	AVCodecContext *decoder = avcodec_alloc_context3(codec);
	AVPacket *packet = av_packet_alloc();
	AVFrame *frame = av_frame_alloc();
	struct decoded ret = { .left = malloc((len / 24 + 2) * 1152 * sizeof(float)) };

	decoder->err_recognition = AV_EF_EXPLODE;
	assert_int_equal(avcodec_open2(decoder, codec, NULL), 0);
	for (size_t at = 0, n; at < len; at += n) {
		n = mp3_frame_bytes(format, bytes[at + 2] >> 4, (bytes[at + 2] & 2) != 0);
		assert_true(n > 0 && n <= len - at);
		assert_int_equal(av_new_packet(packet, (int)n), 0);
		memcpy(packet->data, bytes + at, n);
		decode_frame(decoder, packet, frame, &ret);
		av_packet_unref(packet);
	}
	av_frame_free(&frame);
	av_packet_free(&packet);
	avcodec_free_context(&decoder);
	return ret;
}

/* Noise in front of, or beside, the source's first samples: from and count in samples. */
static double
noise(const struct decoded *d, const float *source, int64_t from, int64_t count)
{
	double sum = 0;

	for (int64_t i = from; i < from + count; i++) {
		double x = d->left[i + DELAY] - source[i];
		sum += x * x;
	}
	return sum / (double)count;
}

static float *
source_of(const struct mp3_format *format, int64_t samples)
{
	struct sound sound = { .rate = format->sample_rate };
	float *ret = malloc((size_t)samples * sizeof *ret);
	static float planes[2][PIECE];

	while (sound.at < samples) {
		int64_t at = sound.at;
		size_t n = samples - at < PIECE ? (size_t)(samples - at) : PIECE;

		fill(&sound, planes, n);
		memcpy(ret + at, planes[0], n * sizeof *ret);
	}
	return ret;
}

static struct made
repack_alone(const struct mp3_format *format, const struct mp3_frames *frames)
{
	struct made made = { .bytes = STR_MAX(STREAM_MAX) };
	static struct mp3_repack repack;

	assert_int_equal(mp3_repack_begin(&repack, format, take_bytes, &made, NULL), 0);
	for (size_t i = 0; i < frames->count; i++)
		assert_int_equal(mp3_repack_frame(&repack, &frames->list[i],
						  frames->bytes + frames->list[i].main_at, NULL),
				 0);
	mp3_repack_end(&repack);
	return made;
}

static void
a_seam_is_no_worse_than_what_one_encoder_makes(void **state)
{
	int64_t samples = blocks(&cd128, 2) + 99999, span = 20 * 1152;
	struct made m = encode(&cd128, samples, 2);
	struct mp3_frames alone = encode_alone(&cd128, samples);
	struct made serial = repack_alone(&cd128, &alone);
	const uint8_t *bytes = (const uint8_t *)m.bytes.data;
	size_t head = header_of(&cd128, &m).len;
	struct decoded ours = decode(&cd128, bytes + head, m.bytes.len - head);
	struct decoded theirs =
		decode(&cd128, (const uint8_t *)serial.bytes.data, serial.bytes.len);
	float *source = source_of(&cd128, samples);

	(void)state;
	assert_int_equal(ours.count, theirs.count);
	/* 0.1 dB over all; at a seam bits may be dealt otherwise for a few frames */
	assert_true(noise(&ours, source, 0, samples - DELAY) <
		    1.0233 * noise(&theirs, source, 0, samples - DELAY));
	for (int k = 1; k <= 2; k++) {
		int64_t at = blocks(&cd128, k) + mp3_warm_up(&cd128) * 1152 - span / 4;
		assert_true(noise(&ours, source, at, span) <
			    1.3 * noise(&theirs, source, at, span));
	}
	free(source);
	free(ours.left);
	free(theirs.left);
	mp3_frames_clear(&alone);
	str_free(&serial.bytes);
	str_free(&m.bytes);
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
		cmocka_unit_test(a_variable_bit_rate_is_what_one_encoder_makes),
		cmocka_unit_test(a_seam_is_no_worse_than_what_one_encoder_makes),
		cmocka_unit_test(a_format_that_mpeg_has_not_is_refused),
		cmocka_unit_test(damaged_streams_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
