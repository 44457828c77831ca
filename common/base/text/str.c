#include "base/text/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* Room for len more bytes and the NUL, or the failure is remembered. */
static bool
str_reserve(struct str *s, size_t len)
{
	size_t need, cap;
	char *data;

	if (s->failed)
		return false;
	if (s->len > s->max || len > s->max - s->len || s->max == SIZE_MAX) {
		s->failed = ERR_TOO_LARGE;
		return false;
	}
	need = s->len + len + 1;
	if (need <= s->cap)
		return true;
	cap = s->cap > SIZE_MAX / 2 ? need : s->cap * 2;
	if (cap < FIRST_CAP)
		cap = FIRST_CAP;
	if (cap > s->max + 1)
		cap = s->max + 1;
	if (cap < need)
		cap = need;
	data = realloc(s->data, cap);
	if (!data) {
		s->failed = ERR_NO_MEMORY;
		return false;
	}
	s->data = data;
	s->cap = cap;
	return true;
}

void
str_append(struct str *s, const void *data, size_t len)
{
	if (!str_reserve(s, len))
		return;
	if (len > 0)
		memcpy(s->data + s->len, data, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void
str_puts(struct str *s, const char *text)
{
	str_append(s, text, strlen(text));
}

void
str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s->failed = s->failed ? s->failed : ERR_TOO_LARGE;
		return;
	}
	if (!str_reserve(s, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)n;
}

void
str_clear(struct str *s)
{
	s->len = 0;
	s->failed = 0;
	if (s->data)
		s->data[0] = '\0';
}

void
str_free(struct str *s)
{
	free(s->data);
	*s = STR_MAX(s->max);
}

const char *
str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

int
str_error(const struct str *s, struct err *e)
{
	if (s->failed == ERR_TOO_LARGE)
		return err_set(e, ERR_TOO_LARGE, "text over %zu bytes", s->max);
	if (s->failed)
		return err_set(e, s->failed, "text: out of memory");
	return 0;
}

int
str_copy(char *to, size_t size, const char *text, struct err *e)
{
	size_t len = strlen(text);

	if (len >= size)
		return err_set(e, ERR_TOO_LARGE, "text of %zu bytes where %zu fit", len,
			       size ? size - 1 : 0);
	memcpy(to, text, len + 1);
	return 0;
}

int
parse_int(const char *text, long long min, long long max, long long *ret, struct err *e)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;
	long long n;

	if (digits[0] < '0' || digits[0] > '9')
		return err_set(e, ERR_INVALID, "not a whole number");
	errno = 0;
	n = strtoll(text, &end, 10);
	if (*end != '\0')
		return err_set(e, ERR_INVALID, "not a whole number");
	if (errno == ERANGE || n < min || n > max)
		return err_set(e, ERR_INVALID, "not in %lld to %lld", min, max);
	*ret = n;
	return 0;
}
