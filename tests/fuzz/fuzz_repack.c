/* Fuzz target: frames -> stream -> frames. The bytes choose a format and the lengths of frames,
 * which are put into one stream; a reader that knows the standard alone (ISO 11172-3, 13818-3) must
 * find every frame's main data where its header says. With a bit of the second byte they are a
 * stream themselves, to be taken apart. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "worker/mp3/repack.h"

#define FRAMES_MAX 300
#define MAIN_MAX 2048
#define STREAM_MAX ((FRAMES_MAX + 1) * MP3_FRAME_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int rates[] = { 44100, 48000, 32000, 22050, 24000, 16000, 11025, 12000, 8000 };
static const int kbits[2][14] = {
	{ 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
	{ 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
};

/* What the standard says of a format, in words of this file. */
struct standard {
	struct mp3_format format;
	bool mpeg1;
	size_t side, samples;
	int granule_bits, private_bits, granules; /* granules: of all channels */
};

static struct {
	uint8_t bytes[STREAM_MAX];
	size_t len;
} stream;

static void
collect(void *arg, const void *data, size_t len)
{
	(void)arg;
	if (len > sizeof stream.bytes - stream.len)
		abort();
	memcpy(stream.bytes + stream.len, data, len);
	stream.len += len;
}

static struct standard
choose(const uint8_t *data)
{
	int rate = rates[data[0] % ARRAY_LEN(rates)], channels = 1 + (data[1] & 1);
	bool mpeg1 = rate >= 32000;

	return (struct standard){
		.format = { rate, channels, kbits[mpeg1][data[2] % 14] * 1000,
			    data[1] & 2 ? 2 : MP3_VBR_OFF, 7 },
		.mpeg1 = mpeg1,
		.side = mpeg1 ? (channels == 1 ? 17 : 32) : (channels == 1 ? 9 : 17),
		.samples = mpeg1 ? 1152 : 576,
		.granule_bits = mpeg1 ? 59 : 63,
		.private_bits = mpeg1 ? (channels == 1 ? 5 + 4 : 3 + 8) : channels,
		.granules = channels * (mpeg1 ? 2 : 1),
	};
}

static void
set_bits(uint8_t *to, int at, int count, unsigned value)
{
	for (int i = 0; i < count; i++)
		if (value >> (count - 1 - i) & 1)
			to[(at + i) / 8] |= (uint8_t)(0x80 >> (at + i) % 8);
}

/* A frame of about that many bytes of main data, the last of which has unused bits. */
static struct mp3_frame
frame_of(const struct standard *s, unsigned bits, unsigned salt)
{
	int rate_bits = s->format.sample_rate % 11025 == 0 ? 0
			: s->format.sample_rate % 3000     ? 2
							   : 1;
	struct mp3_frame f = { .head = { 0xff, s->mpeg1 ? 0xfb : 0xf3, 0,
					 s->format.channels == 1 ? 0xc0 : 0x40 } };
	int at = (s->mpeg1 ? 9 : 8) + s->private_bits;

	if (s->format.sample_rate < 16000)
		f.head[1] = 0xe3;
	f.head[2] = (uint8_t)(rate_bits << 2);
	for (int i = 0; i < s->granules; i++, at += s->granule_bits) {
		unsigned share = bits < 4095 ? bits : 4095;

		set_bits(f.head + 4, at, 12, share);
		set_bits(f.head + 4, at + 12, 30, salt * 2654435761U);
		bits -= share;
		f.main_len = (uint16_t)(f.main_len + share);
	}
	f.main_len = (uint16_t)((f.main_len + 7) / 8);
	return f;
}

static uint8_t
main_byte(unsigned frame, unsigned at)
{
	return (uint8_t)((frame * 31 + at) * 2654435761U >> 24);
}

/* A frame that was refused fits into none. */
static void
check_refusal(const struct standard *s, const struct mp3_frame *f)
{
	size_t largest =
		s->samples / 8 * (size_t)kbits[s->mpeg1][13] * 1000 / (size_t)s->format.sample_rate;

	if (largest >= 4 + s->side + f->main_len)
		abort();
}

static size_t
put_frames(const struct standard *s, const uint8_t *data, size_t size, struct mp3_frame *ret)
{
	static struct mp3_repack repack;
	size_t count = 0;

	stream.len = 0;
	if (mp3_repack_begin(&repack, &s->format, collect, NULL, NULL) < 0)
		abort();
	for (; count < FRAMES_MAX && size >= 2; count++, data += 2, size -= 2) {
		uint8_t main[MAIN_MAX];

		ret[count] = frame_of(s, (unsigned)data[0] << 8 | data[1], (unsigned)count);
		for (unsigned i = 0; i < ret[count].main_len; i++)
			main[i] = main_byte((unsigned)count, i);
		if (mp3_repack_frame(&repack, &ret[count], main, NULL) < 0) {
			check_refusal(s, &ret[count]);
			break;
		}
	}
	mp3_repack_end(&repack);
	return count;
}

/* Where main data is, and how much of it was there before this frame. */
struct flow {
	uint8_t bytes[STREAM_MAX];
	size_t len, taken;
};

static size_t
check_frame(const struct standard *s, const struct mp3_frame *f, unsigned number, size_t at,
	    struct flow *flow)
{
	const uint8_t *h = stream.bytes + at;
	unsigned index = h[2] >> 4, back = s->mpeg1 ? h[4] * 2U + h[5] / 128 : h[4];
	size_t bytes, start;

	if (stream.len - at < 4 + s->side || h[0] != 0xff || h[1] != f->head[1] || index < 1 ||
	    index > 14 || (h[2] & 0x0d) != f->head[2] || h[3] != f->head[3])
		abort();
	bytes = s->samples / 8 * (size_t)kbits[s->mpeg1][index - 1] * 1000 /
			(size_t)s->format.sample_rate +
		(h[2] >> 1 & 1);
	if (bytes < 4 + s->side || bytes > stream.len - at || back > flow->len)
		abort();
	start = flow->len - back;
	memcpy(flow->bytes + flow->len, h + 4 + s->side, bytes - 4 - s->side);
	flow->len += bytes - 4 - s->side;
	if (start < flow->taken || f->main_len > flow->len - start)
		abort(); /* another frame's bytes, or bytes that are not there yet */
	for (unsigned i = 0; i < f->main_len; i++)
		if (flow->bytes[start + i] != main_byte(number, i))
			abort();
	/* all else is as it was */
	if (h[5] % (s->mpeg1 ? 128 : 256) != f->head[5] ||
	    memcmp(h + 6, f->head + 6, s->side - 2) != 0)
		abort();
	flow->taken = start + f->main_len;
	return bytes;
}

static void
check_unpacked(const struct standard *s, const struct mp3_frame *list, size_t count)
{
	struct mp3_frames frames;

	if (mp3_frames_unpack(&s->format, stream.bytes, stream.len, &frames, NULL) < 0 ||
	    frames.count != count)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct mp3_frame *f = &frames.list[i];

		/* but for the last byte, whose unused bits are cleared */
		for (unsigned j = 0; j + 1 < f->main_len; j++)
			if (frames.bytes[f->main_at + j] != main_byte((unsigned)i, j))
				abort();
		if (f->main_len != list[i].main_len)
			abort();
	}
	mp3_frames_clear(&frames);
}

static void
check_any_stream(const struct standard *s, const uint8_t *data, size_t size)
{
	struct mp3_frames frames;

	if (mp3_frames_unpack(&s->format, data, size, &frames, NULL) < 0)
		return;
	for (size_t i = 0; i < frames.count; i++)
		if (frames.list[i].main_at > frames.len ||
		    frames.list[i].main_len > frames.len - frames.list[i].main_at)
			abort();
	mp3_frames_clear(&frames);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mp3_frame list[FRAMES_MAX];
	static struct flow flow;
	struct standard s;
	size_t count, at = 0;

	if (size < 3)
		return 0;
	s = choose(data);
	if (data[1] & 0x80) {
		check_any_stream(&s, data + 3, size - 3);
		return 0;
	}
	count = put_frames(&s, data + 3, size - 3, list);
	flow.len = flow.taken = 0;
	for (size_t i = 0; i < count; i++)
		at += check_frame(&s, &list[i], (unsigned)i, at, &flow);
	if (at != stream.len)
		abort();
	check_unpacked(&s, list, count);
	return 0;
}
