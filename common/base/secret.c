#include "base/secret.h"

#include <string.h>

void
memory_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

void
secret_clear(struct secret *s)
{
	memory_wipe(s, sizeof *s);
}
