/* Lower-case hexadecimal. Threads: any. */
#ifndef TONEARM_BASE_TEXT_HEX_H
#define TONEARM_BASE_TEXT_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *ret_text);
/* Reads exactly 2 * len digits of either case; -1 (nothing written) when text is anything else. */
int hex_decode(const char *text, uint8_t *ret_bytes, size_t len);

#endif
