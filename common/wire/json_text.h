/* What this folder's files share over jansson. Private to wire/. Threads: any. */
#ifndef TONEARM_WIRE_JSON_TEXT_H
#define TONEARM_WIRE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text/str.h"

struct json_t; /* jansson's */

/* For SCOPED. */
void json_decref_p(struct json_t **value);
/* Whether at most 32 brackets stand open at once, outside texts. Ask before any parser sees hostile
 * JSON: jansson recurses up to 2048 times, more than the 128 KiB stack of an HTTP thread holds. */
bool json_is_shallow(const char *bytes, size_t len);
/* Hostile bytes -> one object; INVALID for anything else, duplicate keys and NUL bytes included. */
int json_object_read(const char *bytes, size_t len, size_t max, struct json_t **ret, struct err *e);
/* Copies object's key, a text of 1 to size - 1 bytes, to ret. */
int json_text_read(const struct json_t *object, const char *key, char *ret, size_t size,
		   struct err *e);
/* Takes value (NULL = it could not be made) and appends its compact form: no spaces, non-ASCII as
 * \uXXXX. */
int json_append(struct json_t *value, size_t flags, struct str *ret, struct err *e);
/* A text that may hold bytes that are not UTF-8: these become U+FFFD. */
struct json_t *json_text_new(const char *text);

#endif
