/* A secret from the configuration. It has no printf form, is zeroed by secret_clear, and never
 * shares a struct with things that get logged. */
#ifndef TONEARM_BASE_SECRET_H
#define TONEARM_BASE_SECRET_H

#include <stddef.h>

#define SECRET_MAX 4096

struct secret {
	size_t len;
	char bytes[SECRET_MAX]; /* NUL-terminated */
};

void secret_clear(struct secret *s);
/* Overwrites memory in a way that the compiler keeps. */
void memory_wipe(void *p, size_t len);

#endif
