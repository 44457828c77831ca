/* A growing byte string with a ceiling. It remembers a failure (out of memory, or the ceiling), so
 * that one can append ten times and check once with str_error. data is always NUL-terminated once
 * anything was appended; str_text gives "" before. Threads: one. */
#ifndef TONEARM_BASE_TEXT_STR_H
#define TONEARM_BASE_TEXT_STR_H

#include <stddef.h>
#include <stdbool.h>

#include "base/err.h"

struct str {
	char *data;
	size_t len; /* bytes, without the NUL */
	size_t cap;
	size_t max; /* ceiling in bytes */
	int failed; /* 0, ERR_NO_MEMORY or ERR_TOO_LARGE */
};

#define STR_MAX(n) ((struct str){ .max = (n) })

void str_append(struct str *s, const void *data, size_t len);
void str_puts(struct str *s, const char *text);
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_clear(struct str *s); /* empties, keeps the memory, forgets the failure */
void str_free(struct str *s);  /* for SCOPED(str_free) too; zeroes *s but for max */
const char *str_text(const struct str *s);
int str_error(const struct str *s, struct err *e); /* 0 or the remembered failure */

/* Copies text into a fixed array; TOO_LARGE (and nothing copied) when it does not fit. */
int str_copy(char *to, size_t size, const char *text, struct err *e);
/* Whether the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(const char *data, size_t len);
/* Parses all of text as a decimal number in [min, max]; INVALID on trailing text or overflow. */
int parse_int(const char *text, long long min, long long max, long long *ret, struct err *e);

#endif
