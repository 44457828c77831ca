/* What several encoders make together, against what one makes of the same samples. */
#include "unit/worker/mp3_fixture.h"

#include <libavcodec/avcodec.h>

/* All but where the main data lies and how long the frame is. */
static void
expect_same_frame(const struct mp3_format *format, const struct mp3_frames *a,
		  const struct mp3_frames *b, size_t i)
{
	struct mp3_measures m = mp3_measure(format);
	const struct mp3_frame *x = &a->list[i], *y = &b->list[i];
	int beside_begin = m.mpeg1 ? 0x7f : 0xff; /* of main_data_begin's last byte */

	assert_int_equal(x->main_len, y->main_len);
	assert_int_equal(x->head[3], y->head[3]);
	assert_int_equal(x->head[5] & beside_begin, y->head[5] & beside_begin);
	assert_memory_equal(x->head + 6, y->head + 6, (size_t)m.side_bytes - 2);
	assert_memory_equal(a->bytes + x->main_at, b->bytes + y->main_at, x->main_len);
}

static void
expect_as_one_encoder_makes(const struct mp3_format *format, int64_t samples)
{
	struct made m = encode(format, samples, 2);
	struct mp3_frames frames = expect_stream(format, &m, samples);
	struct mp3_frames alone = encode_alone(format, samples);

	assert_int_equal(frames.count, alone.count);
	for (size_t i = 0; i < frames.count; i++)
		expect_same_frame(format, &frames, &alone, i);
	mp3_frames_clear(&alone);
	mp3_frames_clear(&frames);
	str_free(&m.bytes);
}

static void
a_variable_bit_rate_is_what_one_encoder_makes(void **state)
{
	static const struct mp3_format formats[] = {
		{ 44100, 2, 128000, 2, 5 }, { 48000, 1, 128000, 0, 5 }, { 32000, 2, 128000, 4, 5 },
		{ 22050, 2, 64000, 2, 5 },  { 16000, 1, 64000, 3, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		expect_as_one_encoder_makes(&formats[i],
					    blocks(&formats[i], i == 0 ? 2 : 1) + 180 * 1152 + 321);
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

/* The bounds below were set while LAME made every result 5 % too quiet, which stood in both noises:
 * that much of the sound is added, so that they ask for as much as they did. */
#define FLOOR (0.05 * 0.05)

/* Noise in front of, or beside, the source's first samples: from and count in samples. */
static double
noise(const struct decoded *d, const float *source, int64_t from, int64_t count)
{
	double sum = 0;

	for (int64_t i = from; i < from + count; i++) {
		double x = d->left[i + DELAY] - source[i];
		sum += x * x + FLOOR * source[i] * source[i];
	}
	return sum / (double)count;
}

static float *
source_of(const struct mp3_format *format, int64_t samples)
{
	struct sound sound = sound_of(format);
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

/* The same samples three times. */
struct comparison {
	struct mp3_format format;
	int64_t samples;
	float *source;               /* owned */
	struct decoded ours, theirs; /* of many encoders, of one */
};

static struct comparison
compare(const struct mp3_format *format, int64_t samples)
{
	struct comparison c = { .format = *format, .samples = samples };
	struct made m = encode(format, samples, 2);
	struct mp3_frames alone = encode_alone(format, samples);
	struct made serial = repack_alone(format, &alone);
	const uint8_t *bytes = (const uint8_t *)m.bytes.data;
	size_t head = header_of(format, &m).len;

	c.source = source_of(format, samples);
	c.ours = decode(format, bytes + head, m.bytes.len - head);
	c.theirs = decode(format, (const uint8_t *)serial.bytes.data, serial.bytes.len);
	assert_int_equal(c.ours.count, c.theirs.count);
	mp3_frames_clear(&alone);
	str_free(&serial.bytes);
	str_free(&m.bytes);
	return c;
}

/* How much more noise there is than in one encoder's, dB. */
static double
excess(const struct comparison *c, int64_t from, int64_t count)
{
	const double silence = 1e-12;

	return 10 * log10((noise(&c->ours, c->source, from, count) + silence) /
			  (noise(&c->theirs, c->source, from, count) + silence));
}

/* From the first frame that the newcomer may be used of. Bits may be dealt otherwise for a few
 * frames, in its favour or not. Returns the excess of all of them. */
static double
expect_seam_no_worse(const struct comparison *c, int seam)
{
	int frame = mp3_measure(&c->format).frame_samples, frames = MP3_SEAM_FRAMES + 8;
	int64_t at = blocks(&c->format, seam) + (mp3_warm_up(&c->format) - 4) * frame;
	double all = excess(c, at, frames * frame);

	assert_true(all < 0.3);
	for (int i = 0; i < frames; i += 4)
		assert_true(excess(c, at + i * frame, 8 * frame) < 1);
	return all;
}

static void
expect_seams_no_worse(const struct mp3_format *format, int seams)
{
	struct comparison c = compare(format, blocks(format, seams) + 100 * 1152);
	double sum = 0;

	assert_true(excess(&c, 0, c.samples - DELAY) < 0.01);
	for (int seam = 1; seam <= seams; seam++)
		sum += expect_seam_no_worse(&c, seam);
	assert_true(sum / seams < 0.05);
	free(c.source);
	free(c.ours.left);
	free(c.theirs.left);
}

static void
a_seam_is_no_worse_than_what_one_encoder_makes(void **state)
{
	static const struct mp3_format formats[] = {
		{ 44100, 2, 128000, MP3_VBR_OFF, 4 },
		{ 48000, 1, 128000, MP3_VBR_OFF, 4 },
		{ 22050, 2, 96000, MP3_VBR_OFF, 4 },
		{ 16000, 1, 64000, MP3_VBR_OFF, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		expect_seams_no_worse(&formats[i], i == 0 ? 4 : 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_bit_rate_is_what_one_encoder_makes),
		cmocka_unit_test(a_seam_is_no_worse_than_what_one_encoder_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
