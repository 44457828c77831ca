#include "worker/mp3/header.h"

#include <string.h>

/* Offsets from the end of the side info. */
#define AT_WHICH 4
#define AT_FRAMES 8
#define AT_BYTES 12
#define AT_SEEK 16
#define SEEK_ENTRIES 100
#define AT_ENCODER 120
#define AT_METHOD 129
#define AT_BIT_RATE 140
#define AT_DELAY 141
#define AT_MUSIC_BYTES 148
#define AT_MUSIC_CRC 152
#define AT_HEADER_CRC 154
#define END 156

/* frames, bytes, seek table and a quality (0 = none said) are there */
#define WHICH 15
#define METHOD_CBR 1

static void
header_put(uint8_t *to, uint64_t value, int bytes)
{
	while (bytes-- > 0) {
		to[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* Entry i: where i percent of the frames are through, in 256ths of the bytes. */
static void
header_put_seek_table(uint8_t *to, const struct mp3_totals *stream)
{
	const struct mp3_seek_table *t = &stream->seek;

	for (int i = 0; i < SEEK_ENTRIES; i++) {
		int64_t point = stream->frames * i / SEEK_ENTRIES / t->step;
		int64_t at = t->count == 0 ? 0 : t->points[point < t->count ? point : t->count - 1];

		to[i] = (uint8_t)(stream->bytes > 0 ? at * 256 / stream->bytes : 0);
	}
}

void
mp3_header_fill(uint8_t *frame, size_t len, int side_bytes, const struct mp3_totals *stream,
		const struct mp3_bounds *bounds)
{
	size_t at = MP3_HEADER_BYTES + (size_t)side_bytes;
	uint8_t *tag = frame + at;
	uint64_t bytes = (uint64_t)stream->bytes + len;

	if (len < at + END)
		return;
	header_put(tag + AT_FRAMES, (uint64_t)stream->frames, 4);
	header_put(tag + AT_BYTES, bytes, 4);
	header_put_seek_table(tag + AT_SEEK, stream);
	header_put(tag + AT_DELAY,
		   (uint64_t)bounds->delay << 12 | (uint64_t)(bounds->padding & MP3_BOUND_MAX), 3);
	header_put(tag + AT_MUSIC_BYTES, bytes, 4);
	header_put(tag + AT_MUSIC_CRC, stream->crc, 2);
	header_put(tag + AT_HEADER_CRC, mp3_crc(0, frame, at + AT_HEADER_CRC), 2);
}

/* Players trust the bounds behind names of encoders that they know. */
size_t
mp3_header_new(const struct mp3_format *format, const uint8_t head[MP3_HEADER_BYTES],
	       enum mp3_bounds_known known, uint8_t ret[MP3_FRAME_MAX])
{
	int side_bytes = mp3_measure(format).side_bytes;
	size_t len = mp3_frame_bytes(format, head[2] >> 4, false);
	uint8_t *tag = ret + MP3_HEADER_BYTES + side_bytes;

	if (len < MP3_HEADER_BYTES + (size_t)side_bytes + END)
		return 0;
	memset(ret, 0, len);
	memcpy(ret, head, MP3_HEADER_BYTES);
	ret[1] |= 1;            /* no CRC */
	ret[2] &= (uint8_t)~3U; /* neither padded nor private */
	memcpy(tag, "Info", 4);
	tag[AT_WHICH + 3] = WHICH;
	if (known == MP3_BOUNDS_KNOWN)
		memcpy(tag + AT_ENCODER, "LAME     ", AT_METHOD - AT_ENCODER);
	tag[AT_METHOD] = METHOD_CBR;
	tag[AT_BIT_RATE] = (uint8_t)(format->bit_rate / 1000 < 255 ? format->bit_rate / 1000 : 255);
	return len;
}
