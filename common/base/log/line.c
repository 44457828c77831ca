#include "base/log/line.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text/legible.h"

#define TAIL_ROOM 8 /* a cut mark, a closing quote, a brace, the newline */
#define NUMBER_ROOM 48

static void
line_put(struct log_line *l, const char *data, size_t len)
{
	if (len > sizeof l->data - l->len)
		return;
	memcpy(l->data + l->len, data, len);
	l->len += len;
}

static void
line_puts(struct log_line *l, const char *text)
{
	line_put(l, text, strlen(text));
}

static void
line_put_escaped(struct log_line *l, const char *text, enum legible_style style)
{
	size_t left = strlen(text);

	while (left > 0) {
		char piece[LEGIBLE_PIECE_MAX];
		size_t n, used = legible_step(text, left, style, piece, &n);

		if (l->len + n > sizeof l->data - TAIL_ROOM) {
			line_puts(l, "...");
			return;
		}
		line_put(l, piece, n);
		text += used;
		left -= used;
	}
}

/* Whether logfmt readers take the value as it is. */
static bool
line_value_is_plain(const char *text)
{
	size_t left = strlen(text);

	if (left == 0)
		return false;
	while (left > 0) {
		char piece[LEGIBLE_PIECE_MAX];
		size_t n, used = legible_step(text, left, LEGIBLE_QUOTED, piece, &n);

		if (text[0] == ' ' || text[0] == '=' || n != used || memcmp(piece, text, n) != 0)
			return false;
		text += used;
		left -= used;
	}
	return true;
}

static void
line_put_text(struct log_line *l, const char *text)
{
	if (l->format == LOG_FORMAT_TEXT && line_value_is_plain(text)) {
		line_put_escaped(l, text, LEGIBLE_QUOTED);
		return;
	}
	line_puts(l, "\"");
	line_put_escaped(l, text, LEGIBLE_QUOTED);
	line_puts(l, "\"");
}

static void
line_put_real(struct log_line *l, double real)
{
	char number[NUMBER_ROOM];
	int n = snprintf(number, sizeof number, "%.9g", real);

	if (!isfinite(real))
		line_puts(l, l->format == LOG_FORMAT_JSON ? "null" : "nan");
	else if (n > 0 && (size_t)n < sizeof number)
		line_put(l, number, (size_t)n);
}

static void
line_put_integer(struct log_line *l, int64_t num)
{
	char number[NUMBER_ROOM];
	int n = snprintf(number, sizeof number, "%" PRId64, num);

	if (n > 0 && (size_t)n < sizeof number)
		line_put(l, number, (size_t)n);
}

/* Whole or not at all: half of it would spoil the line. */
static void
line_put_json(struct log_line *l, const char *json)
{
	bool fits = json && l->len + strlen(json) <= sizeof l->data - TAIL_ROOM;

	line_puts(l, fits ? json : "null");
}

static void
line_put_key(struct log_line *l, const char *key)
{
	if (l->format == LOG_FORMAT_JSON) {
		line_puts(l, l->len > 1 ? ",\"" : "\"");
		line_puts(l, key);
		line_puts(l, "\":");
		return;
	}
	if (l->len > 0)
		line_puts(l, " ");
	line_puts(l, key);
	line_puts(l, "=");
}

void
log_line_begin(struct log_line *l, enum log_format format)
{
	l->format = format;
	l->len = 0;
	if (format == LOG_FORMAT_JSON)
		line_puts(l, "{");
}

void
log_line_field(struct log_line *l, const struct log_field *f)
{
	if (l->len + strlen(f->key) + NUMBER_ROOM + TAIL_ROOM > sizeof l->data)
		return;
	line_put_key(l, f->key);
	switch (f->type) {
	case LOG_FIELD_STR:
		line_put_text(l, f->str ? f->str : "");
		break;
	case LOG_FIELD_INT:
		line_put_integer(l, f->num);
		break;
	case LOG_FIELD_DOUBLE:
		line_put_real(l, f->real);
		break;
	case LOG_FIELD_BOOL:
		line_puts(l, f->num ? "true" : "false");
		break;
	case LOG_FIELD_JSON:
		if (l->format == LOG_FORMAT_JSON)
			line_put_json(l, f->str);
		else
			line_put_text(l, f->str ? f->str : "");
		break;
	case LOG_FIELD_END:
		break;
	}
}

void
log_line_words(struct log_line *l, const char *words)
{
	line_put_escaped(l, words, LEGIBLE_WORDS);
}

void
log_line_end(struct log_line *l)
{
	line_puts(l, l->format == LOG_FORMAT_JSON ? "}\n" : "\n");
}
