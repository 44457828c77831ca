/* Layout of header, CRC and side info: ISO 11172-3 2.4.1.3, 2.4.1.4 and 2.4.1.7. */
#include "worker/mp3/copy.h"

#include <string.h>

#define CRC_BYTES 2
#define MODE_MONO 3
#define EMPHASIS_RESERVED 2
/* Where a header frame of Fraunhofer's has its name, whatever the channels. */
#define AT_VBRI 32

/* Version and sample-rate index as a header has them. */
static int
mp3_copy_rate_bits(int sample_rate, uint8_t *ret_version, uint8_t *ret_index)
{
	static const int rates[] = { 44100, 48000, 32000 };
	static const uint8_t versions[] = { 3, 2, 0 }; /* MPEG-1, 2, 2.5: half the rate each */

	for (int half = 0; half < 3; half++)
		for (uint8_t i = 0; i < 3; i++)
			if (rates[i] >> half == sample_rate) {
				*ret_version = versions[half];
				*ret_index = i;
				return 0;
			}
	return ERR_INVALID;
}

int
mp3_copy_begin(struct mp3_copy *c, const struct mp3_format *format, struct err *e)
{
	int index = mp3_bit_rate_index(format, e);
	uint8_t version, rate;

	if (index < 0)
		return index;
	if (mp3_copy_rate_bits(format->sample_rate, &version, &rate) < 0)
		return err_set(e, ERR_INVALID, "no mp3 has %d Hz", format->sample_rate);
	*c = (struct mp3_copy){ .format = *format, .m = mp3_measure(format) };
	c->head[0] = 0xff;
	c->head[1] = (uint8_t)(0xe2 | version << 3);
	c->head[2] = (uint8_t)(index << 4 | rate << 2);
	mp3_totals_begin(&c->totals);
	return 0;
}

static bool
mp3_copy_header_fits(const struct mp3_copy *c, const uint8_t *h)
{
	bool mono = h[3] >> 6 == MODE_MONO;

	return h[0] == c->head[0] && (h[1] & 0xfe) == c->head[1] && (h[2] & 0xfc) == c->head[2] &&
	       mono == (c->format.channels == 1) && (h[3] & 3) != EMPHASIS_RESERVED;
}

/* Unlike LAME's: not reflected, started with ones, over what of header and side info decides. */
static bool
mp3_copy_crc_is_right(const struct mp3_copy *c, const uint8_t *frame)
{
	const uint8_t *sum = frame + MP3_HEADER_BYTES;
	unsigned crc = 0xffff;

	for (int i = 2; i < MP3_HEADER_BYTES + CRC_BYTES + c->m.side_bytes; i++) {
		if (i >= MP3_HEADER_BYTES && i < MP3_HEADER_BYTES + CRC_BYTES)
			continue;
		for (int bit = 7; bit >= 0; bit--) {
			unsigned out = crc >> 15 ^ (frame[i] >> bit & 1U);
			crc = (crc << 1 ^ (out ? 0x8005U : 0)) & 0xffff;
		}
	}
	return crc == ((unsigned)sum[0] << 8 | sum[1]);
}

/* A header frame in mid-stream is none of the music, and there must not be two. */
static bool
mp3_copy_is_header_frame(const uint8_t *side, int side_bytes, size_t len)
{
	const uint8_t *names = side + side_bytes;

	return len >= AT_VBRI + 4 &&
	       (memcmp(names, "Xing", 4) == 0 || memcmp(names, "Info", 4) == 0 ||
		memcmp(side + AT_VBRI, "VBRI", 4) == 0);
}

bool
mp3_copy_take(struct mp3_copy *c, const uint8_t *frame, size_t len)
{
	bool has_crc = len >= MP3_HEADER_BYTES && !(frame[1] & 1);
	size_t side_at = MP3_HEADER_BYTES + (has_crc ? CRC_BYTES : 0U);
	size_t head = side_at + (size_t)c->m.side_bytes;
	const uint8_t *side = frame + side_at;
	size_t reach, main;

	if (len < head + 4 || !mp3_copy_header_fits(c, frame) ||
	    len != mp3_frame_bytes(&c->format, frame[2] >> 4, (frame[2] & 2) != 0))
		return false;
	reach = mp3_bits(side, 0, c->m.mpeg1 ? 9 : 8);
	main = (mp3_main_bits(&c->format, side) + 7) / 8;
	if (reach > c->reservoir || main > reach + (len - head) ||
	    (has_crc && !mp3_copy_crc_is_right(c, frame)) ||
	    mp3_copy_is_header_frame(side, c->m.side_bytes, len - side_at))
		return false;
	if (c->totals.frames == 0)
		c->head[3] = frame[3];
	c->reservoir = reach + (len - head) - main;
	mp3_totals_frame(&c->totals, len);
	c->totals.crc = mp3_crc(c->totals.crc, frame, len);
	return true;
}

bool
mp3_copy_is_no_frame(const struct mp3_copy *c, const uint8_t *data, size_t len)
{
	return len < MP3_HEADER_BYTES || data[0] != 0xff || (data[1] & 0xe0) != 0xe0 ||
	       (mp3_copy_header_fits(c, data) &&
		len < mp3_frame_bytes(&c->format, data[2] >> 4, (data[2] & 2) != 0));
}

size_t
mp3_copy_header(const struct mp3_copy *c, const struct mp3_bounds *bounds,
		uint8_t ret[MP3_FRAME_MAX])
{
	static const struct mp3_bounds none;
	size_t len = mp3_header_new(&c->format, c->head,
				    bounds ? MP3_BOUNDS_KNOWN : MP3_BOUNDS_UNKNOWN, ret);

	if (len > 0)
		mp3_header_fill(ret, len, c->m.side_bytes, &c->totals, bounds ? bounds : &none);
	return len;
}
