#include "base/text/utf8.h"

#include "base/text/str.h"

size_t
utf8_sequence(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	/* The range of the second byte shuts out overlong forms, surrogates and what lies past
	 * U+10FFFF. */
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (left < len || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool
utf8_valid(const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = utf8_sequence(data + at, len - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}
