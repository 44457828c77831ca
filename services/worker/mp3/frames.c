/* Layout of header and side info: ISO 11172-3 2.4.1.3 and 2.4.1.7, 13818-3 2.4.1.7. */
#include "worker/mp3/frames.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	const struct mp3_format *format;
	struct mp3_measures m;
	const uint8_t *stream;
	size_t len, at;
};

unsigned
mp3_bits(const uint8_t *from, size_t at, int count)
{
	unsigned value = 0;

	for (; count > 0; count--, at++)
		value = value << 1 | ((unsigned)from[at / 8] >> (7 - at % 8) & 1U);
	return value;
}

/* Frames are found by their lengths: a search for a sync word would find one in the main data. */
static size_t
frame_length(const struct walk *w, struct err *e)
{
	const uint8_t *h = w->stream + w->at;
	size_t left = w->len - w->at, bytes;

	if (left < MP3_HEADER_BYTES || h[0] != 0xff || (h[1] & 0xe7) != 0xe3 ||
	    ((h[1] & 0x08) != 0) != w->m.mpeg1) {
		(void)err_set(e, ERR_CORRUPT, "no mp3 frame at %zu", w->at);
		return 0;
	}
	bytes = mp3_frame_bytes(w->format, h[2] >> 4, (h[2] & 2) != 0);
	if (bytes < (size_t)(MP3_HEADER_BYTES + w->m.side_bytes) || bytes > left) {
		(void)err_set(e, ERR_CORRUPT, "an mp3 frame of %zu bytes at %zu", bytes, w->at);
		return 0;
	}
	return bytes;
}

size_t
mp3_main_bits(const struct mp3_format *format, const uint8_t *side)
{
	bool mpeg1 = mp3_measure(format).mpeg1;
	int channels = format->channels, granules = mpeg1 ? 2 : 1;
	size_t at = mpeg1 ? (channels == 1 ? 18 : 20) : (channels == 1 ? 9 : 10);
	size_t width = mpeg1 ? 59 : 63, sum = 0;

	for (int i = 0; i < granules * channels; i++, at += width)
		sum += mp3_bits(side, at, 12);
	return sum;
}

/* The main data of the frame at the walk's position starts in front of main_at, where the frame's
 * own share of the main data goes. False when it starts in front of all. */
static bool
frames_take(const struct walk *w, size_t main_at, struct mp3_frame *ret, unsigned *ret_spare)
{
	const uint8_t *head = w->stream + w->at;
	size_t sum = mp3_main_bits(w->format, head + MP3_HEADER_BYTES);

	memcpy(ret->head, head, MP3_HEADER_BYTES + (size_t)w->m.side_bytes);
	ret->reservoir = (uint16_t)mp3_bits(head + MP3_HEADER_BYTES, 0, w->m.mpeg1 ? 9 : 8);
	ret->main_len = (uint16_t)((sum + 7) / 8);
	ret->main_at = (uint32_t)(main_at - ret->reservoir);
	*ret_spare = (unsigned)(ret->main_len * 8U - sum);
	return ret->reservoir <= main_at;
}

static int
frames_unpack(struct walk *w, struct mp3_frames *f, unsigned char *spare, struct err *e)
{
	size_t head = MP3_HEADER_BYTES + (size_t)w->m.side_bytes, bytes;
	unsigned bits_unused;

	for (; w->at < w->len; w->at += bytes) {
		if ((bytes = frame_length(w, e)) == 0)
			return ERR_CORRUPT;
		if (!frames_take(w, f->len, &f->list[f->count], &bits_unused))
			return err_set(e, ERR_CORRUPT, "main data in front of the stream");
		spare[f->count++] = (unsigned char)bits_unused;
		memcpy(f->bytes + f->len, w->stream + w->at + head, bytes - head);
		f->len += bytes - head;
	}
	return 0;
}

static bool
frames_is_complete(const struct mp3_frames *f, const struct mp3_frame *frame)
{
	return frame->main_at + frame->main_len <= f->len;
}

/* LAME fills what is left of a last byte with whatever its reservoir's toggle says: equal audio
 * must be equal bytes. */
static int
frames_tidy(struct mp3_frames *f, const unsigned char *spare, struct err *e)
{
	while (f->count > 0 && !frames_is_complete(f, &f->list[f->count - 1]))
		f->count--;
	for (size_t i = 0; i < f->count; i++) {
		const struct mp3_frame *frame = &f->list[i];

		if (!frames_is_complete(f, frame))
			return err_set(e, ERR_CORRUPT, "main data behind the stream");
		if (frame->main_len > 0)
			f->bytes[frame->main_at + frame->main_len - 1] &=
				(uint8_t)(0xffU << spare[i]);
	}
	return 0;
}

int
mp3_frames_unpack(const struct mp3_format *format, const uint8_t *stream, size_t len,
		  struct mp3_frames *ret, struct err *e)
{
	struct walk w = { format, mp3_measure(format), stream, len, 0 };
	size_t max = len / (MP3_HEADER_BYTES + (size_t)w.m.side_bytes) + 1;
	SCOPED_FREE unsigned char *spare = malloc(max);
	struct mp3_frames f = { .list = malloc(max * sizeof *f.list), .bytes = malloc(len + 1) };
	int r;

	if (!spare || !f.list || !f.bytes) {
		mp3_frames_clear(&f);
		return err_set(e, ERR_NO_MEMORY, "mp3 frames");
	}
	if ((r = frames_unpack(&w, &f, spare, e)) < 0 || (r = frames_tidy(&f, spare, e)) < 0) {
		mp3_frames_clear(&f);
		return r;
	}
	*ret = f;
	return 0;
}

void
mp3_frames_clear(struct mp3_frames *f)
{
	free(f->list);
	free(f->bytes);
	*f = (struct mp3_frames){ 0 };
}
