#include "base/text/legible.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/utf8.h"

#define LEGIBLE_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	uint32_t from, to;
} legible_hidden[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f },
	{ 0x00ad, 0x00ad }, /* controls; the soft hyphen */
	{ 0x061c, 0x061c }, { 0x180e, 0x180e },
	{ 0x200b, 0x200f }, /* direction, zero width */
	{ 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },                       /* lines, direction, joiners */
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff }, /* annotations; tags and variation selectors */
};

static uint32_t
legible_code_point(const char *text, size_t n)
{
	const unsigned char *u = (const unsigned char *)text;
	uint32_t code = n == 1 ? u[0] : n == 2 ? u[0] & 0x1f : n == 3 ? u[0] & 0x0f : u[0] & 0x07;

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (u[i] & 0x3f);
	return code;
}

static bool
legible_is_hidden(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(legible_hidden); i++)
		if (code >= legible_hidden[i].from && code <= legible_hidden[i].to)
			return true;
	return false;
}

/* The letter behind a backslash that JSON has for this byte, or 0. */
static char
legible_short_escape(uint32_t code, enum legible_style style)
{
	static const char names[] = "\"\"\\\\\nn\rr\tt";

	for (size_t i = style == LEGIBLE_WORDS ? 4 : 0; i + 1 < sizeof names; i += 2)
		if ((unsigned char)names[i] == code)
			return names[i + 1];
	return '\0';
}

static size_t
legible_json_escape(uint32_t code, char ret[LEGIBLE_PIECE_MAX])
{
	unsigned high = 0xd800 + ((code - 0x10000) >> 10), low = 0xdc00 + (code & 0x3ff);

	if (code < 0x10000)
		return (size_t)snprintf(ret, LEGIBLE_PIECE_MAX, "\\u%04x", (unsigned)code);
	return (size_t)snprintf(ret, LEGIBLE_PIECE_MAX, "\\u%04x\\u%04x", high, low);
}

static size_t
legible_copy(const char *text, size_t n, char ret[LEGIBLE_PIECE_MAX])
{
	memcpy(ret, text, n);
	ret[n] = '\0';
	return n;
}

static size_t
legible_step_bytes(const char *text, size_t n, char ret[LEGIBLE_PIECE_MAX], size_t *ret_len)
{
	bool shown = n > 0 && text[0] != '\\' && !legible_is_hidden(legible_code_point(text, n));

	if (shown)
		return *ret_len = legible_copy(text, n, ret);
	*ret_len = (size_t)snprintf(ret, LEGIBLE_PIECE_MAX, text[0] == '\\' ? "\\\\" : "\\x%02x",
				    (unsigned char)text[0]);
	return 1;
}

size_t
legible_step(const char *text, size_t left, enum legible_style style, char ret[LEGIBLE_PIECE_MAX],
	     size_t *ret_len)
{
	size_t n = utf8_sequence(text, left);
	uint32_t code;
	char letter;

	if (style == LEGIBLE_BYTES)
		return legible_step_bytes(text, n, ret, ret_len);
	if (n == 0) {
		*ret_len = legible_copy(LEGIBLE_REPLACEMENT, strlen(LEGIBLE_REPLACEMENT), ret);
		return 1;
	}
	code = legible_code_point(text, n);
	if ((letter = legible_short_escape(code, style)) != '\0')
		*ret_len = (size_t)snprintf(ret, LEGIBLE_PIECE_MAX, "\\%c", letter);
	else if (legible_is_hidden(code))
		*ret_len = legible_json_escape(code, ret);
	else
		*ret_len = legible_copy(text, n, ret);
	return n;
}

void
str_legible(struct str *to, const char *text, size_t len)
{
	char piece[LEGIBLE_PIECE_MAX];
	size_t n;

	while (len > 0) {
		size_t taken = legible_step(text, len, LEGIBLE_BYTES, piece, &n);

		str_append(to, piece, n);
		text += taken;
		len -= taken;
	}
}

/* A character that is shown as it is fills one column. */
static int
legible_columns(const char *text, size_t len, int enough)
{
	char piece[LEGIBLE_PIECE_MAX];
	int columns = 0;

	while (len > 0 && columns <= enough) {
		size_t n, taken = legible_step(text, len, LEGIBLE_BYTES, piece, &n);

		columns += piece[0] == '\\' ? (int)n : 1;
		text += taken;
		len -= taken;
	}
	return columns;
}

int
legible_print(FILE *to, const char *text, size_t len, int width)
{
	bool cut = width > 0 && legible_columns(text, len, width) > width;
	int room = width - 3;
	char piece[LEGIBLE_PIECE_MAX];
	int used = 0;

	while (len > 0) {
		size_t n, taken = legible_step(text, len, LEGIBLE_BYTES, piece, &n);
		int columns = piece[0] == '\\' ? (int)n : 1;

		if (cut && used + columns > room) {
			(void)fputs("...", to);
			return used + 3;
		}
		(void)fputs(piece, to);
		used += columns;
		text += taken;
		len -= taken;
	}
	return used;
}
