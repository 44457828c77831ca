#include "base/text/hex.h"

static const char digits_of[] = "0123456789abcdef";

void
hex_encode(const uint8_t *bytes, size_t len, char *ret_text)
{
	size_t i;

	for (i = 0; i < len; i++) {
		ret_text[2 * i] = digits_of[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits_of[bytes[i] & 15];
	}
	ret_text[2 * len] = '\0';
}

static int
hex_digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(const char *text, uint8_t *ret_bytes, size_t len)
{
	size_t i;

	for (i = 0; i < 2 * len; i++)
		if (hex_digit_value(text[i]) < 0)
			return -1;
	if (text[i] != '\0')
		return -1;
	for (i = 0; i < len; i++)
		ret_bytes[i] = (uint8_t)(hex_digit_value(text[2 * i]) << 4 |
					 hex_digit_value(text[2 * i + 1]));
	return 0;
}
