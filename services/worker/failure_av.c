#include "worker/failure.h"

#include <stdbool.h>

#include <libavutil/error.h>
#include <libavutil/mem.h>

/* Who finds this much free has not run out of memory. */
#define SPARE_BYTES ((size_t)64 << 20)

/* libav says "no memory" also of tables of a size that cannot be, and of too many streams. */
static bool
memory_is_left(void)
{
	void *spare = av_malloc(SPARE_BYTES);

	av_free(spare);
	return spare != NULL;
}

enum worker_failure
failure_av(struct err *e, enum worker_failure failure, const char *what, int av_result)
{
	char words[AV_ERROR_MAX_STRING_SIZE] = "";

	(void)av_strerror(av_result, words, sizeof words);
	if (av_result == AVERROR(ENOMEM))
		failure = memory_is_left() ? WORKER_UNSUPPORTED : WORKER_OUT_OF_MEMORY;
	return failure_set(e, failure, "%s: %s", what, words);
}
