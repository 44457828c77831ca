#include "wire/dead_json.h"

#include <jansson.h>
#include <string.h>

#include "base/text/hex.h"
#include "base/scope.h"
#include "wire/json_text.h"

static json_t *
hex_new(const char *body, size_t len)
{
	SCOPED_FREE char *text = malloc(2 * len + 1);
	SCOPED_FREE uint8_t *bytes = malloc(len + 1);

	if (text == NULL || bytes == NULL)
		return NULL;
	memcpy(bytes, body, len);
	hex_encode(bytes, len, text);
	return json_string(text);
}

int
dead_record_write(const struct dead_record *r, struct str *ret, struct err *e)
{
	bool is_text = utf8_valid(r->body, r->len) && memchr(r->body, '\0', r->len) == NULL;

	return json_append(json_pack("{s:s, s:s, s:I, s:b, s:o, s:o, s:o}", "id", r->id, "queue",
				     r->queue, "size", (json_int_t)r->size, "redelivered",
				     r->redelivered, "reason", json_text_new(r->reason), "body",
				     is_text ? json_stringn(r->body, r->len) : json_null(),
				     "body_hex", is_text ? json_null() : hex_new(r->body, r->len)),
			   JSON_COMPACT, ret, e);
}
