/* One log line while it is put together, with a ceiling. Private to base/log. */
#ifndef TONEARM_BASE_LOG_LINE_H
#define TONEARM_BASE_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log/log.h"

#define LOG_LINE_MAX 8192

struct log_line {
	enum log_format format;
	size_t len;
	char data[LOG_LINE_MAX];
};

void log_line_begin(struct log_line *l, enum log_format format);
/* Adds one field; the value is cut, or the field left out, where the line is full. */
void log_line_field(struct log_line *l, const struct log_field *f);
/* Adds words without key or quotes, with control bytes escaped. */
void log_line_words(struct log_line *l, const char *words);
void log_line_end(struct log_line *l);

#endif
