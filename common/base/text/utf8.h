/* One step through UTF-8 (RFC 3629); see utf8_valid in base/str.h for whole texts. Threads: any. */
#ifndef TONEARM_BASE_TEXT_UTF8_H
#define TONEARM_BASE_TEXT_UTF8_H

#include <stddef.h>

/* Bytes of the valid sequence that text starts with; 0 when it is not one. left >= 1. */
size_t utf8_sequence(const char *text, size_t left);

#endif
