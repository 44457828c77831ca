#include "model/tags.h"

#include <string.h>

#include "base/text/utf8.h"

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* What a control character of one byte becomes; 0 = nothing. Of the two bytes that end a line, one
 * stays. */
static char
in_place_of(char control, char next)
{
	if (control == '\n' || (control == '\r' && next != '\n'))
		return '\n';
	return control == '\t' ? ' ' : '\0';
}

/* Bytes that are no UTF-8: a broken sequence is nothing, a byte on its own a character of Latin-1.
 */
static size_t
tags_step_over_broken(const char *text, char to[4], size_t *ret_len)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = 1;

	while (n < 4 && is_continuation(text[n]))
		n++;
	to[0] = (char)(0xc0 | c >> 6);
	to[1] = (char)(0x80 | (c & 0x3f));
	*ret_len = n == 1 && c >= 0xa0 ? 2 : 0;
	return n;
}

/* Takes one character; what becomes of it goes into to, *ret_len bytes (0 to 4). Returns the bytes
 * taken. */
static size_t
tags_step(const char *text, size_t left, char to[4], size_t *ret_len)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = utf8_sequence(text, left);

	if (n == 0)
		return tags_step_over_broken(text, to, ret_len);
	*ret_len = n;
	memcpy(to, text, n);
	if (c < 0x20 || c == 0x7f) {
		to[0] = in_place_of(text[0], text[1]);
		*ret_len = to[0] != '\0';
	} else if (n == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0) {
		*ret_len = 0;
	}
	return n;
}

size_t
tags_clean(const char *text, enum tag_lines lines, char *to, size_t max)
{
	size_t left = strlen(text), len = 0, n;
	char piece[4];

	while (left > 0) {
		size_t taken = tags_step(text, left, piece, &n);

		text += taken;
		left -= taken;
		if (n == 1 && piece[0] == '\n' && lines == TAG_ONE_LINE)
			piece[0] = ' ';
		if (n == 0 || (len == 0 && is_blank(piece[0])))
			continue;
		if (n > max - len)
			break;
		memcpy(to + len, piece, n);
		len += n;
	}
	while (len > 0 && is_blank(to[len - 1]))
		len--;
	return len;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
tags_digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

size_t
tags_date(const char *text, char to[TAG_DATE_MAX])
{
	static const struct {
		const char *before; /* one of these, in the source; the first, in the tag */
		int min, max;
	} parts[] = {
		{ "-", 1, 12 }, { "-", 1, 31 }, { "T ", 0, 23 }, { ":", 0, 59 }, { ":", 0, 59 },
	};
	bool compact = tags_digits(text, 8) > 0 && !is_digit(text[8]);
	size_t len = 4;

	if (tags_digits(text, 4) < 0 || (is_digit(text[4]) && !compact))
		return 0;
	memcpy(to, text, 4);
	text += 4;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		bool bare = compact && i < 2;
		int value;

		if (!bare && (*text == '\0' || !strchr(parts[i].before, *text)))
			break;
		value = tags_digits(text + !bare, 2);
		if (value < parts[i].min || value > parts[i].max)
			break;
		to[len] = parts[i].before[0];
		memcpy(to + len + 1, text + !bare, 2);
		len += 3;
		text += 2 + !bare;
	}
	return len;
}

static char
in_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_letter(char c)
{
	return in_small(c) >= 'a' && in_small(c) <= 'z';
}

size_t
tags_language(const char *text, char to[TAG_LANGUAGE_LEN])
{
	static const char none[][TAG_LANGUAGE_LEN + 1] = { "und", "xxx" };
	char code[TAG_LANGUAGE_LEN];

	for (size_t i = 0; i < TAG_LANGUAGE_LEN; i++) {
		if (!is_letter(text[i]))
			return 0;
		code[i] = in_small(text[i]);
	}
	if (is_letter(text[TAG_LANGUAGE_LEN]))
		return 0;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (memcmp(code, none[i], TAG_LANGUAGE_LEN) == 0)
			return 0;
	memcpy(to, code, TAG_LANGUAGE_LEN);
	return TAG_LANGUAGE_LEN;
}

static bool
is_number(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return false;
	return len > 0;
}

/* Files say the total with the number or in a field of its own. */
static size_t
numbered(const char *number, const char *total, char to[TAG_TEXT_MAX])
{
	size_t len = tags_clean(number, TAG_ONE_LINE, to, TAG_TEXT_MAX), more;

	if (!total || !is_number(to, len) || len + 1 >= TAG_TEXT_MAX)
		return len;
	more = tags_clean(total, TAG_ONE_LINE, to + len + 1, TAG_TEXT_MAX - len - 1);
	if (!is_number(to + len + 1, more))
		return len;
	to[len] = '/';
	return len + 1 + more;
}

static bool
is_true(const char *text)
{
	char word[8];
	size_t len = tags_clean(text, TAG_ONE_LINE, word, sizeof word);

	for (size_t i = 0; i < len; i++)
		word[i] = in_small(word[i]);
	return (len == 1 && word[0] == '1') || (len == 4 && memcmp(word, "true", 4) == 0);
}

size_t
tags_words_max(enum tag_field field)
{
	if (field == TAG_LYRICS)
		return TAG_LYRICS_MAX;
	return field == TAG_COMMENT ? TAG_COMMENT_MAX : TAG_TEXT_MAX;
}

size_t
tags_words(const struct tags *tags, enum tag_field field, char *to)
{
	const char *text = tags->text[field];

	if (!text)
		return 0;
	switch (field) {
	case TAG_DATE:
		return tags_date(text, to);
	case TAG_LANGUAGE:
	case TAG_LYRICS_LANGUAGE:
		return tags_language(text, to);
	case TAG_COMPILATION:
		to[0] = '1';
		return is_true(text);
	case TAG_TRACK:
		return numbered(text, tags->text[TAG_TRACK_TOTAL], to);
	case TAG_DISC:
		return numbered(text, tags->text[TAG_DISC_TOTAL], to);
	case TAG_COMMENT:
	case TAG_LYRICS:
		return tags_clean(text, TAG_MANY_LINES, to, tags_words_max(field));
	default:
		return tags_clean(text, TAG_ONE_LINE, to, TAG_TEXT_MAX);
	}
}

const char *
tags_picture_type(const uint8_t *picture, size_t len)
{
	if (len > TAG_PICTURE_MAX)
		return NULL;
	if (len > 3 && memcmp(picture, "\xff\xd8\xff", 3) == 0)
		return "image/jpeg";
	if (len > 8 && memcmp(picture, "\x89PNG\r\n\x1a\n", 8) == 0)
		return "image/png";
	return NULL;
}
