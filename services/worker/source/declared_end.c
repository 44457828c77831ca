#include "worker/source/declared_end.h"

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

int64_t
declared_end(const uint8_t *start, size_t len)
{
	if (len < 8)
		return UNKNOWN;
	if (memcmp(start, "RIFF", 4) == 0)
		return declared_riff_end(start);
	if (memcmp(start, "FORM", 4) == 0)
		return declared_form_end(start);
	return memcmp(start, "\x1a\x45\xdf\xa3", 4) == 0 ? declared_segment_end(start, len)
							 : UNKNOWN;
}
