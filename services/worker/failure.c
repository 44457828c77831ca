#include "worker/failure.h"

#include <stdarg.h>
#include <stdio.h>

enum worker_failure
failure_set(struct err *e, enum worker_failure failure, const char *fmt, ...)
{
	char words[sizeof e->text];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	(void)err_set(e, ERR_INVALID, "%s", words);
	return failure;
}
