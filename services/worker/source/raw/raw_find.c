#include "worker/source/raw/raw_find.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/codec_id.h>

#include "worker/source/raw/flac_frame.h"
#include "worker/source/raw/frame_size.h"

/* Frames in a row, each of which begins where the one before says that it ends. Chance makes five of
 * them once in 10^15 bytes. */
#define FRAMES 5
/* Enough where the last of them ends with the file. */
#define FRAMES_AT_END 2
#define ID3V1_BYTES 128

static const struct raw_kind {
	enum AVCodecID codec;
	uint8_t same[3]; /* bits of the second to fourth byte that all of its headers share */
} kinds[] = {
	{ AV_CODEC_ID_MP3, { 0xfe, 0x0c, 0 } },
	{ AV_CODEC_ID_AAC, { 0xff, 0xfc, 0xc0 } },
	{ AV_CODEC_ID_AC3, { 0xff, 0, 0 } },
};

static bool
raw_is_alike(const struct raw_kind *kind, const uint8_t *one, const uint8_t *other)
{
	for (int i = 0; i < 3; i++)
		if ((one[i + 1] ^ other[i + 1]) & kind->same[i])
			return false;
	return true;
}

/* The file's end, or the tag there. */
static bool
raw_is_end(const uint8_t *data, size_t len, size_t at)
{
	return at == len || (len - at == ID3V1_BYTES && memcmp(data + at, "TAG", 3) == 0);
}

static bool
raw_starts(const struct raw_kind *kind, const uint8_t *data, size_t len, size_t at)
{
	size_t first = at;

	for (int frames = 0; frames < FRAMES; frames++) {
		size_t size = frame_size((int)kind->codec, data + at, len - at);

		if (frames >= FRAMES_AT_END && raw_is_end(data, len, at))
			return true;
		if (size < 4 || size > len - at || !raw_is_alike(kind, data + first, data + at))
			return false;
		at += size;
	}
	return true;
}

/* With its first block, which may be its last one. */
static bool
raw_is_flac(const uint8_t *at)
{
	return memcmp(at, "fLaC", 4) == 0 && (at[4] & 0x7f) == 0 &&
	       memcmp(at + 5, "\0\0\x22", 3) == 0;
}

static int64_t
raw_look(const uint8_t *data, size_t len)
{
	for (size_t at = 0; at + 8 < len; at++) {
		if (raw_is_flac(data + at) || flac_frame_starts(data + at, len - at))
			return (int64_t)at;
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			if (raw_starts(&kinds[i], data, len, at))
				return (int64_t)at;
	}
	return -1;
}

int64_t
raw_find(struct input *in)
{
	size_t len = in->size < RAW_FIND_BYTES ? (size_t)in->size : RAW_FIND_BYTES;
	SCOPED_FREE uint8_t *data = malloc(len + 1);

	return data && input_peek(in, 0, data, len) ? raw_look(data, len) : -1;
}
