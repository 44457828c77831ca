#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
err_set_text(struct err *e, const char *fmt, va_list ap)
{
	if (vsnprintf(e->text, sizeof e->text, fmt, ap) < 0)
		e->text[0] = '\0';
}

/* Appends as much as fits; a cut is silent, since the start of the words says most. */
static void
err_add_text(struct err *e, const char *more)
{
	size_t used = strlen(e->text), room = sizeof e->text - 1 - used, len = strlen(more);

	if (len > room)
		len = room;
	memcpy(e->text + used, more, len);
	e->text[used + len] = '\0';
}

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	struct err fresh = { .code = code };
	va_list ap;

	if (!e)
		return code;
	/* Through a copy: an argument may be the very text that is replaced. */
	va_start(ap, fmt);
	err_set_text(&fresh, fmt, ap);
	va_end(ap);
	*e = fresh;
	return code;
}

int
err_prefix(struct err *e, int code, const char *fmt, ...)
{
	struct err fresh = { .code = code };
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	err_set_text(&fresh, fmt, ap);
	va_end(ap);
	if (e->text[0] != '\0') {
		err_add_text(&fresh, ": ");
		err_add_text(&fresh, e->text);
	}
	*e = fresh;
	return code;
}

int
err_errno(struct err *e, int code, int errno_value, const char *what)
{
	char words[100];

	if (strerror_r(errno_value, words, sizeof words) != 0)
		return err_set(e, code, "%s: errno %d", what, errno_value);
	return err_set(e, code, "%s: %s", what, words);
}

const char *
err_name(int code)
{
	static const char *const names[] = {
		"ok",          "invalid", "denied",  "not_found", "conflict", "too_large",
		"unavailable", "timeout", "corrupt", "no_memory", "internal",
	};

	if (code > 0 || code < ERR_INTERNAL)
		return "unknown";
	return names[-code];
}

bool
err_is_transient(int code)
{
	return code == ERR_UNAVAILABLE || code == ERR_TIMEOUT || code == ERR_NO_MEMORY;
}
