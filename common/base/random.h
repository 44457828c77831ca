/* Random bytes and ids: every random number of the suite comes from here, so that chance can be
 * simulated. Threads: any. Errors: none; without the kernel's bytes the process ends. */
#ifndef TONEARM_BASE_RANDOM_H
#define TONEARM_BASE_RANDOM_H

#include <stddef.h>

/* Fills with random bytes of the kernel; never fails once the system is up. */
void random_bytes(void *to, size_t len);
/* A random id of digits hex digits and a NUL. */
void random_hex(char *ret_text, size_t digits);

#endif
