#include "worker/source/end/declared_end.h"

#include <stdbool.h>
#include <string.h>

#define UNKNOWN INT64_C(-1)

static int64_t
declared_riff_end(const uint8_t *at)
{
	uint32_t size = (uint32_t)at[4] | (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16 |
			(uint32_t)at[7] << 24;

	/* What writers to a pipe leave there. */
	return size == 0 || size >= 0x7fffffff ? UNKNOWN : (int64_t)size + 8;
}

static int64_t
declared_form_end(const uint8_t *at)
{
	uint32_t size = (uint32_t)at[7] | (uint32_t)at[6] << 8 | (uint32_t)at[5] << 16 |
			(uint32_t)at[4] << 24;

	return size == 0 || size >= 0x7fffffff ? UNKNOWN : (int64_t)size + 8;
}

/* An EBML number: the first byte's leading zeros say how many bytes follow; all ones = unknown.
 * Returns its length, 0 when it does not fit. */
static size_t
declared_ebml_size(const uint8_t *at, size_t len, int64_t *ret)
{
	size_t bytes = 1;
	uint64_t value, ones;

	if (len == 0 || at[0] == 0)
		return 0;
	while (!(at[0] & (0x80 >> (bytes - 1))))
		bytes++;
	if (bytes > len)
		return 0;
	value = at[0] & (0xffu >> bytes);
	for (size_t i = 1; i < bytes; i++)
		value = value << 8 | at[i];
	ones = (UINT64_C(1) << (7 * bytes)) - 1;
	*ret = value == ones ? UNKNOWN : (int64_t)value;
	return bytes;
}

static int64_t
declared_segment_end(const uint8_t *start, size_t len)
{
	static const uint8_t segment[4] = { 0x18, 0x53, 0x80, 0x67 };
	size_t at = 4, bytes;
	int64_t size;

	bytes = declared_ebml_size(start + at, len - at, &size);
	if (bytes == 0 || size < 0 || size > (int64_t)(len - at - bytes))
		return UNKNOWN;
	at += bytes + (size_t)size;
	if (len - at < sizeof segment || memcmp(start + at, segment, sizeof segment) != 0)
		return UNKNOWN;
	at += sizeof segment;
	bytes = declared_ebml_size(start + at, len - at, &size);
	return bytes == 0 || size < 0 ? UNKNOWN : (int64_t)(at + bytes) + size;
}

static uint64_t
declared_number(const uint8_t *at, int bytes, bool big_endian)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[big_endian ? i : bytes - 1 - i];
	return value;
}

/* The File Properties Object (Microsoft's ASF specification, 3.2): behind its name and size an id,
 * the file's size, and at last flags, of which 1 is a broadcast without a size. */
static int64_t
declared_asf_end(const uint8_t *start, size_t len)
{
	static const uint8_t properties[16] = { 0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
						0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65 };

	for (size_t at = 30; at + 92 <= len; at++)
		if (memcmp(start + at, properties, sizeof properties) == 0) {
			uint64_t size = declared_number(start + at + 40, 8, false);

			return (start[at + 88] & 1) || size == 0 || size > INT64_MAX
				       ? UNKNOWN
				       : (int64_t)size;
		}
	return UNKNOWN;
}

/* "filesize" among the numbers of onMetaData, an IEEE double. */
static int64_t
declared_flv_end(const uint8_t *start, size_t len)
{
	static const char key[] = "filesize"; /* and a zero: the type of a number */

	for (size_t at = 9; at + sizeof key + 8 <= len; at++)
		if (memcmp(start + at, key, sizeof key) == 0) {
			uint64_t bits = declared_number(start + at + sizeof key, 8, true);
			double size;

			memcpy(&size, &bits, sizeof size);
			return size >= 1 && size < 0x1p62 ? (int64_t)size : UNKNOWN;
		}
	return UNKNOWN;
}

static int64_t
declared_au_end(const uint8_t *start)
{
	uint64_t size = declared_number(start + 8, 4, true);

	return size == 0 || size == UINT32_MAX
		       ? UNKNOWN
		       : (int64_t)(declared_number(start + 4, 4, true) + size);
}

/* The chunk "data"; those in front of it are passed. */
static int64_t
declared_caf_end(const uint8_t *start, size_t len)
{
	for (size_t at = 8; at + 12 <= len;) {
		uint64_t size = declared_number(start + at + 4, 8, true);

		if (size > INT64_MAX - DECLARED_END_START)
			return UNKNOWN;
		if (memcmp(start + at, "data", 4) == 0)
			return (int64_t)(at + 12 + size);
		if (size > len)
			return UNKNOWN;
		at += 12 + (size_t)size;
	}
	return UNKNOWN;
}

/* EBU Tech 3306: the chunk ds64 comes first; sizes that are not known are mended elsewhere. */
static int64_t
declared_rf64_end(const uint8_t *start, size_t len)
{
	uint64_t size = len >= 28 && memcmp(start + 12, "ds64", 4) == 0
				? declared_number(start + 20, 8, false)
				: 0;

	return size == 0 || size > INT64_MAX - 8 ? UNKNOWN : (int64_t)size + 8;
}

int64_t
declared_end(const uint8_t *start, size_t len)
{
	if (len < 16)
		return UNKNOWN;
	if (memcmp(start, "RIFF", 4) == 0)
		return declared_riff_end(start);
	if (memcmp(start, "RF64", 4) == 0 || memcmp(start, "BW64", 4) == 0)
		return declared_rf64_end(start, len);
	if (len >= 24 && memcmp(start, "riff\x2e\x91\xcf\x11", 8) == 0) /* Sony Wave64 */
		return (int64_t)(declared_number(start + 16, 8, false) & INT64_MAX);
	if (memcmp(start, "FORM", 4) == 0)
		return declared_form_end(start);
	if (memcmp(start, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", 8) == 0)
		return declared_asf_end(start, len);
	if (memcmp(start, "FLV", 3) == 0)
		return declared_flv_end(start, len);
	if (memcmp(start, ".snd", 4) == 0)
		return declared_au_end(start);
	if (memcmp(start, "caff", 4) == 0)
		return declared_caf_end(start, len);
	return memcmp(start, "\x1a\x45\xdf\xa3", 4) == 0 ? declared_segment_end(start, len)
							 : UNKNOWN;
}
