#include "converter/mp3/mp3_header.h"

/* What LAME puts in front of the first sample. */
#define DELAY 576
/* Offsets from the end of the side info. */
#define AT_FRAMES 8
#define AT_BYTES 12
#define AT_SEEK 16
#define SEEK_ENTRIES 100
#define AT_DELAY 141
#define AT_MUSIC_BYTES 148
#define AT_MUSIC_CRC 152
#define AT_HEADER_CRC 154
#define END 156

static void
put(uint8_t *to, uint64_t value, int bytes)
{
	while (bytes-- > 0) {
		to[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* Entry i: where i percent of the frames are through, in 256ths of the bytes. */
static void
put_seek_table(uint8_t *to, const struct mp3_repack *stream)
{
	const struct mp3_seek_table *t = &stream->seek;

	for (int i = 0; i < SEEK_ENTRIES; i++) {
		int64_t point = stream->frames * i / SEEK_ENTRIES / t->step;
		int64_t at = t->count == 0 ? 0 : t->points[point < t->count ? point : t->count - 1];

		to[i] = (uint8_t)(stream->bytes > 0 ? at * 256 / stream->bytes : 0);
	}
}

void
mp3_header_fill(uint8_t *frame, size_t len, const struct mp3_repack *stream, int64_t samples)
{
	uint8_t *tag = frame + MP3_HEADER_BYTES + stream->m.side_bytes;
	int64_t padding = stream->frames * stream->m.frame_samples - samples - DELAY;
	uint64_t bytes = (uint64_t)stream->bytes + len;

	if (len < (size_t)(tag - frame) + END)
		return;
	put(tag + AT_FRAMES, (uint64_t)stream->frames, 4);
	put(tag + AT_BYTES, bytes, 4);
	put_seek_table(tag + AT_SEEK, stream);
	put(tag + AT_DELAY, (uint64_t)DELAY << 12 | (uint64_t)(padding & 0xfff), 3);
	put(tag + AT_MUSIC_BYTES, bytes, 4);
	put(tag + AT_MUSIC_CRC, stream->crc, 2);
	put(tag + AT_HEADER_CRC, mp3_crc(0, frame, (size_t)(tag - frame) + AT_HEADER_CRC), 2);
}
