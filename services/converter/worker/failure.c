#include "converter/worker/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include <libavutil/error.h>

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

enum worker_failure
failure_av(struct err *e, enum worker_failure failure, const char *what, int av_result)
{
	char words[AV_ERROR_MAX_STRING_SIZE] = "";

	(void)av_strerror(av_result, words, sizeof words);
	if (av_result == AVERROR(ENOMEM))
		failure = WORKER_OUT_OF_MEMORY;
	return failure_set(e, failure, "%s: %s", what, words);
}
