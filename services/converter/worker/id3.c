#include "converter/worker/id3.h"

#include <string.h>

#define HEADER_BYTES 10
#define FRAME_HEADER_BYTES 10
#define ENCODING_UTF8 3

static const char software[] = "Tonearm " TONEARM_VERSION;

/* ID3v2.4 sizes: four bytes of seven bits each. */
static void
put_size(uint8_t *to, size_t size)
{
	for (int i = 3; i >= 0; i--, size >>= 7)
		to[i] = (uint8_t)(size & 0x7f);
}

size_t
id3_write(uint8_t *to, size_t size)
{
	size_t text = 1 + sizeof software; /* encoding byte, words, NUL */
	size_t whole = HEADER_BYTES + FRAME_HEADER_BYTES + text;

	if (whole > size)
		return 0;
	memset(to, 0, whole);
	memcpy(to, "ID3\4", 4);
	put_size(to + 6, whole - HEADER_BYTES);
	memcpy(to + HEADER_BYTES, "TSSE", 4);
	put_size(to + HEADER_BYTES + 4, text);
	to[HEADER_BYTES + FRAME_HEADER_BYTES] = ENCODING_UTF8;
	memcpy(to + HEADER_BYTES + FRAME_HEADER_BYTES + 1, software, sizeof software);
	return whole;
}
