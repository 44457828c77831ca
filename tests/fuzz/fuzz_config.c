/* Fuzz target: values of configuration. The first byte says which key, and whether the value stands
 * in a file. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config/config.h"
#include "base/scope.h"
#include "base/text/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	char text[16];
	int64_t integer, signed_integer, bytes, duration;
	bool flag;
	int choice;
	struct secret secret;
};
static const struct config_key keys[] = {
	CONFIG_KEY_TEXT(struct values, text, "V", "", "a text"),
	CONFIG_KEY_NUMBER(CONFIG_INTEGER, struct values, integer, "V", "1", 0, 0, "a number"),
	CONFIG_KEY_NUMBER(CONFIG_INTEGER, struct values, signed_integer, "V", "1", -7, 65535,
			  "one"),
	CONFIG_KEY_NUMBER(CONFIG_BYTES, struct values, bytes, "V", "1", 0, 0, "a size"),
	CONFIG_KEY_NUMBER(CONFIG_DURATION, struct values, duration, "V", "1", 1, 86400000,
			  "a time"),
	CONFIG_KEY_FLAG(struct values, flag, "V", "false", "a flag"),
	CONFIG_KEY_CHOICE(struct values, choice, "V", "text", "text|json", "a choice"),
	CONFIG_KEY_SECRET(struct values, secret, "V", NULL, "a secret"),
};

struct source {
	const char *value, *path;
};

static const char *
look(const char *name, void *arg)
{
	struct source *s = arg;

	return strcmp(name, "V") == 0 ? s->value : s->path;
}

/* The path of a file with these bytes, which lasts until the next call. */
static const char *
file_of(const uint8_t *data, size_t size)
{
	static char path[64];
	static FILE *file;

	if (file == NULL && (file = tmpfile()) == NULL)
		abort();
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
	if (ftruncate(fileno(file), 0) < 0 || pwrite(fileno(file), data, size, 0) != (ssize_t)size)
		abort();
	return path;
}

static void
check(const struct values *v)
{
	if (strnlen(v->text, sizeof v->text) == sizeof v->text ||
	    !utf8_valid(v->text, strlen(v->text)) || v->integer < 0 || v->signed_integer < -7 ||
	    v->signed_integer > 65535 || v->bytes < 0 || v->duration < 0 ||
	    v->duration > 86400000 || v->choice < 0 || v->choice > 1 || v->secret.len >= SECRET_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct values v;
	struct config_key table[2] = { { .name = NULL }, { .name = NULL } };
	const struct config_key *tables[] = { table, NULL };
	struct source source = { NULL, NULL };
	struct err e = ERR_NONE;
	char *text;

	if (size < 1 || (text = malloc(size)) == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	table[0] = keys[data[0] % ARRAY_LEN(keys)];
	if (data[0] & 0x80)
		source.path = file_of(data + 1, size - 1);
	else
		source.value = text;
	memset(&v, 0, sizeof v);
	if (config_load_from(tables, &v, look, &source, NULL, &e) == 0)
		check(&v);
	else if (e.code != ERR_INVALID || e.text[0] == '\0')
		abort();
	free(text);
	return 0;
}
