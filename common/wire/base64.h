/* Base64 (RFC 4648), both alphabets, padding optional. Threads: any. */
#ifndef TONEARM_WIRE_BASE64_H
#define TONEARM_WIRE_BASE64_H

#include <stddef.h>

/* Writes at most 3/4 of len bytes to to; their number, or -1 for anything that is not base64. */
long base64_decode(const char *text, size_t len, char *to);

#endif
