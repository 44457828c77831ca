/* A dead message -> JSON, for an operator's pipe. Threads: any. */
#ifndef TONEARM_WIRE_DEAD_JSON_H
#define TONEARM_WIRE_DEAD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/str.h"

struct dead_record {
	const char *id, *queue;
	const char *reason; /* what is not UTF-8 becomes U+FFFD */
	const char *body;   /* any bytes */
	size_t len;
	uint64_t size; /* more than len when it was cut */
	bool redelivered;
};
/* {"id", "queue", "size", "redelivered", "reason", "body": text or null, "body_hex": null or hex}:
 * body_hex where the bytes are no text (not UTF-8, or a NUL). */
int dead_record_write(const struct dead_record *record, struct str *ret, struct err *e);

#endif
