/* A sound that is hard on seams, the stream that several encoders make of it, and what one makes.
 */
#ifndef TONEARM_TESTS_UNIT_WORKER_MP3_FIXTURE_H
#define TONEARM_TESTS_UNIT_WORKER_MP3_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/mp3/mp3.h"
#include "worker/mp3/block.h"
#include "worker/mp3/lame.h"
#include "worker/mp3/repack.h"

#define STREAM_MAX ((size_t)16 << 20)
#define PIECE 4096
/* Of LAME and of a decoder. */
#define DELAY (576 + 529)

static const struct mp3_format cd128 = { 44100, 2, 128000, MP3_VBR_OFF, 3 };

/* Tones that come and go, with noise, silences and jumps of level: each block starts in another
 * state than the one that the encoder in front of it is in. Every second one starts where what was
 * loud is hardly to be heard any more: no state is further from a new encoder's. */
struct sound {
	int64_t at, block;
	uint32_t random;
	int rate;
};

static inline int64_t
blocks(const struct mp3_format *format, int count)
{
	return (int64_t)count * MP3_BLOCK_FRAMES * mp3_measure(format).frame_samples;
}

static inline struct sound
sound_of(const struct mp3_format *format)
{
	return (struct sound){ .block = blocks(format, 1), .rate = format->sample_rate };
}

static inline double
level_at(const struct sound *s, int part)
{
	int64_t after = s->at % (2 * s->block) - s->block; /* the start of such a block */

	if (after >= -2 * s->rate && after < 4 * s->rate)
		return after < 0 ? 0.9 : 0.001;
	return part == 4 ? 0 : part == 7 ? 0.01 : part == 9 ? 0.9 : 0.3;
}

static inline float
next_sample(struct sound *s, int channel)
{
	double t = (double)s->at / s->rate;
	int part = (int)(t * 3) % 11;
	double level = level_at(s, part), noise;

	s->random = s->random * 1664525 + 1013904223;
	noise = (double)(s->random >> 8) / (1 << 24) - 0.5;
	return (float)(level * (0.6 * sin(t * 6.283 * (220 + 40 * part)) +
				0.2 * sin(t * 6.283 * (1870 + 300 * channel)) +
				(part % 3 == 0 ? 0.4 : 0.02) * noise));
}

static inline void
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

static inline void
take_bytes(void *arg, const void *data, size_t len)
{
	str_append(&((struct made *)arg)->bytes, data, len);
}

static inline void
take_patch(void *arg, const void *data, size_t len)
{
	struct made *m = arg;

	assert_true(len <= m->bytes.len);
	memcpy(m->bytes.data, data, len);
	m->head_patches++;
}

static inline struct made
encode(const struct mp3_format *format, int64_t samples, int threads)
{
	struct made made = { .bytes = STR_MAX(STREAM_MAX) };
	struct mp3_sink sink = { take_bytes, take_patch, &made };
	struct sound sound = sound_of(format);
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
static inline struct mp3_frames
encode_alone(const struct mp3_format *format, int64_t samples)
{
	struct sound sound = sound_of(format);
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

static inline unsigned
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

static inline struct header
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
static inline struct mp3_frames
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

static inline struct made
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

#endif
