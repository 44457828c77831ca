/* Fuzz target: sound -> one mp3 stream made by several encoders. The first bytes choose the format,
 * the number of threads and the length (which may reach over several blocks), the others the sound.
 * The stream must be whole: every frame parses and fits, the header counts what is there, the
 * length is exact, and one thread makes the same bytes (where a bit says so). */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/mp3/mp3.h"
#include "worker/mp3/block.h"

#define STREAM_MAX ((size_t)8 << 20)
#define HEAD_BYTES 8
#define SEGMENTS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the bytes mean. */
struct plan {
	struct mp3_format format;
	int threads;
	bool twice; /* once more by one thread */
	int64_t samples;
	size_t piece; /* samples of one call */
	const uint8_t *segments;
	size_t count; /* of segments, three bytes each; the sound repeats them */
};

struct made {
	struct str bytes; /* owned */
	size_t header_len;
};

static void
take_bytes(void *arg, const void *data, size_t len)
{
	struct made *m = arg;

	if (m->bytes.len == 0)
		m->header_len = len;
	str_append(&m->bytes, data, len);
}

static void
take_patch(void *arg, const void *data, size_t len)
{
	struct made *m = arg;

	if (len != m->header_len || len > MP3_HEAD_MAX)
		abort();
	memcpy(m->bytes.data, data, len);
}

/* A segment is a kind of sound, its level and its pitch. Levels reach past full scale. */
static float
sample(const struct plan *p, int64_t at, uint32_t *random, int channel)
{
	const uint8_t *s =
		p->count ? p->segments + 3 * (size_t)(at / 700 % (int64_t)p->count) : NULL;
	float level, phase;

	if (!s)
		return 0;
	level = (float)s[1] / 128.0f;
	phase = (float)(at % 65536) * (float)(s[2] + channel + 1) / 600.0f;
	*random = *random * 1664525 + 1013904223;
	switch (s[0] % 6) {
	case 0:
		return 0;
	case 1:
		return level * sinf(phase);
	case 2:
		return level * ((float)(*random >> 8) / (float)(1 << 23) - 1.0f);
	case 3:
		return sinf(phase) < 0 ? -level : level;
	case 4:
		return at % (s[2] * 16 + 1) == 0 ? level : 0;
	default:
		return channel == s[2] % 2 ? level : 1e-30f;
	}
}

static struct made
make(const struct plan *p, int threads)
{
	struct made made = { .bytes = STR_MAX(STREAM_MAX) };
	struct mp3_sink sink = { take_bytes, take_patch, &made };
	SCOPED(mp3_close_p) struct mp3 *mp3 = NULL;
	static float planes[2][8192];
	uint32_t random[2] = { 1, 2 };

	if (mp3_open(&p->format, threads, &sink, &mp3, NULL) < 0)
		return made;
	for (int64_t at = 0; at < p->samples;) {
		size_t n = 0;

		for (; n < p->piece && at < p->samples; n++, at++)
			for (int c = 0; c < 2; c++)
				planes[c][n] = sample(p, at, &random[c], c);
		if (mp3_encode(mp3, (float *const[]){ planes[0], planes[1] }, n, NULL) < 0)
			abort();
	}
	if (mp3_finish(mp3, NULL) < 0 || str_error(&made.bytes, NULL) < 0)
		abort();
	return made;
}

static unsigned
big_endian(const uint8_t *at, int bytes)
{
	unsigned value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static void
check(const struct plan *p, const struct made *m)
{
	const uint8_t *bytes = (const uint8_t *)m->bytes.data, *tag;
	struct mp3_measures measures = mp3_measure(&p->format);
	struct mp3_frames frames;
	int64_t padding;

	tag = bytes + MP3_HEADER_BYTES + measures.side_bytes;
	if (mp3_frames_unpack(&p->format, bytes + m->header_len, m->bytes.len - m->header_len,
			      &frames, NULL) < 0)
		abort();
	if (big_endian(tag + 8, 4) != frames.count || big_endian(tag + 12, 4) != m->bytes.len)
		abort();
	for (int i = 1; i < 100; i++)
		if (tag[16 + i] < tag[15 + i])
			abort();
	padding = big_endian(tag + 141, 3) & 0xfff;
	if ((int64_t)frames.count * measures.frame_samples - (big_endian(tag + 141, 3) >> 12) -
		    padding !=
	    p->samples)
		abort();
	mp3_frames_clear(&frames);
}

static void
check_same(const struct plan *p, const struct made *m)
{
	struct made one = make(p, 1);

	if (one.bytes.len != m->bytes.len ||
	    memcmp(one.bytes.data, m->bytes.data, one.bytes.len) != 0)
		abort();
	str_free(&one.bytes);
}

static bool
plan(const uint8_t *data, size_t size, struct plan *ret)
{
	static const int rates[] = { 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000 };
	static const int bit_rates[] = { 8,  16,  24,  32,  40,  48,  56,  64,  80,
					 96, 112, 128, 144, 160, 192, 224, 256, 320 };
	int64_t frame;

	if (size < HEAD_BYTES)
		return false;
	ret->format = (struct mp3_format){
		.sample_rate = rates[data[0] % ARRAY_LEN(rates)],
		.channels = 1 + data[1] % 2,
		.bit_rate = bit_rates[data[2] % ARRAY_LEN(bit_rates)] * 1000,
		.vbr = data[1] & 0x80 ? data[2] % 10 : MP3_VBR_OFF,
		.quality = 7 + data[1] / 2 % 3,
	};
	ret->threads = 1 + data[3] % 4;
	ret->twice = data[3] & 0x80;
	ret->piece = 1 + (size_t)data[4] * 32;
	frame = mp3_measure(&ret->format).frame_samples;
	/* mostly a few frames; with the top bit, around the ends of blocks */
	ret->samples = (data[5] & 15) * frame + (data[6] << 8 | data[7]) % frame;
	if (data[5] & 0x80)
		ret->samples += (1 + (data[5] >> 6 & 1)) * MP3_BLOCK_FRAMES * frame +
				(data[5] >> 4 & 3) * 32 * frame;
	ret->segments = data + HEAD_BYTES;
	ret->count = (size - HEAD_BYTES) / 3;
	if (ret->count > SEGMENTS)
		ret->count = SEGMENTS;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct made many;
	struct plan p;

	if (!plan(data, size, &p))
		return 0;
	many = make(&p, p.threads);
	if (many.bytes.len > 0) {
		check(&p, &many);
		if (p.twice)
			check_same(&p, &many);
	}
	str_free(&many.bytes);
	return 0;
}
