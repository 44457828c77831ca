#include "worker/source/raw/flac_frame.h"

/* The next one is looked for so far: a frame of 4096 samples of two channels takes less. */
#define FRAME_BYTES_MAX 32768

/* Of polynomial x^8 + x^2 + x + 1. */
static uint8_t
flac_crc(const uint8_t *at, size_t len)
{
	unsigned crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc << 1 ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
	}
	return (uint8_t)crc;
}

/* Bytes of the number that counts frames or samples, coded as UTF-8 does; 0 = none is. */
static size_t
flac_number_len(uint8_t first)
{
	size_t len = 0;

	while (len < 8 && first & 0x80 >> len)
		len++;
	return len == 0 ? 1 : len == 1 || len == 8 ? 0 : len;
}

/* The header's length with its checksum; 0 = there is none. */
static size_t
flac_header_len(const uint8_t *at, size_t len)
{
	static const uint8_t block_bytes[16] = { [6] = 1, 2 }, rate_bytes[16] = { [12] = 1, 2, 2 };
	size_t number, all;

	if (len < 16 || at[0] != 0xff || (at[1] & 0xfe) != 0xf8 || at[2] >> 4 == 0 ||
	    (at[2] & 15) == 15 || at[3] >> 4 > 10 || (at[3] & 0x0f) == 0x06 || (at[3] & 1))
		return 0;
	if ((number = flac_number_len(at[4])) == 0)
		return 0;
	all = 4 + number + block_bytes[at[2] >> 4] + rate_bytes[at[2] & 15];
	return flac_crc(at, all) == at[all] ? all + 1 : 0;
}

bool
flac_frame_starts(const uint8_t *data, size_t len)
{
	size_t first = flac_header_len(data, len);

	for (size_t at = first; first > 0 && at + 4 < len && at < FRAME_BYTES_MAX; at++)
		if (data[at] == 0xff && data[at + 1] == data[1] &&
		    (data[at + 2] & 15) == (data[2] & 15) &&
		    flac_header_len(data + at, len - at) > 0)
			return true;
	return false;
}
