#include "worker/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool refused;

#ifndef TONEARM_SANITIZED /* a sanitizer has one of its own */
/* libav's av_malloc calls this one instead of libc's. */
int
posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *memory = aligned_alloc(alignment, size);

	if (!memory) {
		atomic_store(&refused, true);
		return ENOMEM;
	}
	*ret = memory;
	return 0;
}
#endif

bool
memory_was_refused(void)
{
	return atomic_load(&refused);
}
