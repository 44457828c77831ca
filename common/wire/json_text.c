#include "wire/json_text.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define TEXT_MAX 65536
#define DEPTH_MAX 32

/* jansson 2.14 calls a value that it had no memory for bad syntax, and loses a byte of a text that
 * it could not make longer: only the allocator knows. */
static _Thread_local bool out_of_memory;

static void *
remembering_malloc(size_t size)
{
	void *p = malloc(size);

	out_of_memory = out_of_memory || p == NULL;
	return p;
}

static void
json_text_install(void)
{
	json_set_alloc_funcs(remembering_malloc, free);
}

static json_t *
json_text_load(const char *bytes, size_t len, json_error_t *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, json_text_install);
	out_of_memory = false;
	/* jansson refuses bad UTF-8 and \u0000 by itself. */
	return json_loadb(bytes, len, JSON_REJECT_DUPLICATES, why);
}

void
json_decref_p(json_t **value)
{
	json_decref(*value);
}

bool
json_is_shallow(const char *bytes, size_t len)
{
	bool in_text = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		char c = bytes[i];

		if (in_text && c == '\\')
			i++;
		else if (c == '"')
			in_text = !in_text;
		else if (!in_text && (c == '[' || c == '{') && ++depth > DEPTH_MAX)
			return false;
		else if (!in_text && (c == ']' || c == '}'))
			depth--;
	}
	return true;
}

int
json_object_read(const char *bytes, size_t len, size_t max, json_t **ret, struct err *e)
{
	SCOPED(json_decref_p) json_t *root = NULL;
	json_error_t why;

	if (len > max)
		return err_set(e, ERR_INVALID, "JSON of more than %zu bytes", max);
	if (!json_is_shallow(bytes, len))
		return err_set(e, ERR_INVALID, "JSON of more than %d levels", DEPTH_MAX);
	root = json_text_load(bytes, len, &why);
	if (out_of_memory)
		return err_set(e, ERR_NO_MEMORY, "JSON");
	/* Not jansson's words: they quote the input. */
	if (root == NULL)
		return err_set(e, ERR_INVALID, "no JSON, at byte %d", why.position);
	if (!json_is_object(root))
		return err_set(e, ERR_INVALID, "JSON, but no object");
	*ret = TAKE(root);
	return 0;
}

int
json_text_read(const json_t *object, const char *key, char *ret, size_t size, struct err *e)
{
	const json_t *value = json_object_get(object, key);
	size_t len;

	if (value == NULL)
		return err_set(e, ERR_INVALID, "%s is missing", key);
	if (!json_is_string(value))
		return err_set(e, ERR_INVALID, "%s is no text", key);
	len = json_string_length(value);
	if (len == 0)
		return err_set(e, ERR_INVALID, "%s is empty", key);
	if (len >= size)
		return err_set(e, ERR_INVALID, "%s is longer than %zu bytes", key, size - 1);
	if (memchr(json_string_value(value), '\0', len) != NULL)
		return err_set(e, ERR_INVALID, "%s holds a NUL byte", key);
	memcpy(ret, json_string_value(value), len + 1);
	return 0;
}

static int
append_piece(const char *piece, size_t len, void *to)
{
	str_append(to, piece, len);
	return 0;
}

int
json_append(json_t *value, size_t flags, struct str *ret, struct err *e)
{
	SCOPED(json_decref_p) json_t *owned = value;

	if (owned == NULL)
		return err_set(e, ERR_NO_MEMORY, "JSON");
	if (json_dump_callback(owned, append_piece, ret, flags | JSON_ENSURE_ASCII) < 0)
		return err_set(e, ERR_NO_MEMORY, "JSON");
	return str_error(ret, e);
}

json_t *
json_text_new(const char *text)
{
	SCOPED(str_free) struct str clean = STR_MAX(TEXT_MAX);
	size_t left = strlen(text);

	if (utf8_valid(text, left))
		return json_stringn(text, left);
	while (left > 0) {
		size_t n = utf8_sequence(text, left), used = n ? n : 1;

		str_append(&clean, n ? text : REPLACEMENT, n ? n : strlen(REPLACEMENT));
		text += used;
		left -= used;
	}
	return str_error(&clean, NULL) < 0 ? NULL : json_stringn(str_text(&clean), clean.len);
}
