#include "base/log/line.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text/utf8.h"

#define TAIL_ROOM 8 /* a cut mark, a closing quote, a brace, the newline */
#define NUMBER_ROOM 48

enum quoting { QUOTED, BARE };

static void
put(struct log_line *l, const char *data, size_t len)
{
	if (len > sizeof l->data - l->len)
		return;
	memcpy(l->data + l->len, data, len);
	l->len += len;
}

static void
puts_line(struct log_line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* Line separators and the C1 controls can move a terminal's cursor or split a line in a viewer. */
static bool
is_hidden_control(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	return (n == 2 && u[0] == 0xc2 && u[1] < 0xa0) ||
	       (n == 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9));
}

static unsigned
code_point(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	if (n == 2)
		return (unsigned)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
	return (unsigned)(u[0] & 0x0f) << 12 | (unsigned)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
}

/* Writes the printable form of one ASCII byte; returns its length. */
static size_t
escape_byte(unsigned char c, enum quoting quoting, char out[8])
{
	static const char names[] = "\"\"\\\\\nn\rr\tt";
	size_t i;

	for (i = quoting == BARE ? 4 : 0; i + 1 < sizeof names; i += 2)
		if ((unsigned char)names[i] == c) {
			out[0] = '\\';
			out[1] = names[i + 1];
			return 2;
		}
	if (c < 0x20 || c == 0x7f)
		return (size_t)snprintf(out, 8, "\\u%04x", (unsigned)c);
	out[0] = (char)c;
	return 1;
}

/* Reads one character of text; its printable form goes to out, its bytes to ret_used. */
static size_t
next_piece(const char *text, size_t left, enum quoting quoting, char out[8], size_t *ret_used)
{
	size_t n = utf8_sequence(text, left);

	*ret_used = n ? n : 1;
	if (n == 1)
		return escape_byte((unsigned char)text[0], quoting, out);
	if (n == 0) {
		memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
		return 3;
	}
	if (is_hidden_control(text, n))
		return (size_t)snprintf(out, 8, "\\u%04x", code_point(text, n));
	memcpy(out, text, n);
	return n;
}

static void
put_escaped(struct log_line *l, const char *text, enum quoting quoting)
{
	size_t left = strlen(text);

	while (left > 0) {
		char piece[8];
		size_t used, n = next_piece(text, left, quoting, piece, &used);

		if (l->len + n > sizeof l->data - TAIL_ROOM) {
			puts_line(l, "...");
			return;
		}
		put(l, piece, n);
		text += used;
		left -= used;
	}
}

/* Whether logfmt readers take the value as it is. */
static bool
is_plain(const char *text)
{
	size_t left = strlen(text);

	if (left == 0)
		return false;
	while (left > 0) {
		char piece[8];
		size_t used, n = next_piece(text, left, QUOTED, piece, &used);

		if (text[0] == ' ' || text[0] == '=' || n != used || memcmp(piece, text, n) != 0)
			return false;
		text += used;
		left -= used;
	}
	return true;
}

static void
put_text(struct log_line *l, const char *text)
{
	if (l->format == LOG_FORMAT_TEXT && is_plain(text)) {
		put_escaped(l, text, QUOTED);
		return;
	}
	puts_line(l, "\"");
	put_escaped(l, text, QUOTED);
	puts_line(l, "\"");
}

static void
put_real(struct log_line *l, double real)
{
	char number[NUMBER_ROOM];
	int n = snprintf(number, sizeof number, "%.9g", real);

	if (!isfinite(real))
		puts_line(l, l->format == LOG_FORMAT_JSON ? "null" : "nan");
	else if (n > 0 && (size_t)n < sizeof number)
		put(l, number, (size_t)n);
}

static void
put_integer(struct log_line *l, int64_t num)
{
	char number[NUMBER_ROOM];
	int n = snprintf(number, sizeof number, "%" PRId64, num);

	if (n > 0 && (size_t)n < sizeof number)
		put(l, number, (size_t)n);
}

static void
put_key(struct log_line *l, const char *key)
{
	if (l->format == LOG_FORMAT_JSON) {
		puts_line(l, l->len > 1 ? ",\"" : "\"");
		puts_line(l, key);
		puts_line(l, "\":");
		return;
	}
	if (l->len > 0)
		puts_line(l, " ");
	puts_line(l, key);
	puts_line(l, "=");
}

void
log_line_begin(struct log_line *l, enum log_format format)
{
	l->format = format;
	l->len = 0;
	if (format == LOG_FORMAT_JSON)
		puts_line(l, "{");
}

void
log_line_field(struct log_line *l, const struct log_field *f)
{
	if (l->len + strlen(f->key) + NUMBER_ROOM + TAIL_ROOM > sizeof l->data)
		return;
	put_key(l, f->key);
	switch (f->type) {
	case LOG_FIELD_STR:
		put_text(l, f->str ? f->str : "");
		break;
	case LOG_FIELD_INT:
		put_integer(l, f->num);
		break;
	case LOG_FIELD_DOUBLE:
		put_real(l, f->real);
		break;
	case LOG_FIELD_BOOL:
		puts_line(l, f->num ? "true" : "false");
		break;
	case LOG_FIELD_END:
		break;
	}
}

void
log_line_words(struct log_line *l, const char *words)
{
	put_escaped(l, words, BARE);
}

void
log_line_end(struct log_line *l)
{
	puts_line(l, l->format == LOG_FORMAT_JSON ? "}\n" : "\n");
}
