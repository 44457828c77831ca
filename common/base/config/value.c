#include "base/config/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "base/text/str.h"

#define SHOWN_MAX 40 /* bytes of a bad value that are quoted */

struct unit {
	const char *suffix;
	int64_t factor;
};

#define UNITS_OF_BYTES(letter, shift)                                                              \
	{ letter, INT64_C(1) << (shift) }, { letter "B", INT64_C(1) << (shift) },                  \
		{ letter "i", INT64_C(1) << (shift) },                                             \
	{                                                                                          \
		letter "iB", INT64_C(1) << (shift)                                                 \
	}

static const struct unit byte_units[] = {
	{ "", 1 },
	{ "B", 1 },
	UNITS_OF_BYTES("K", 10),
	UNITS_OF_BYTES("M", 20),
	UNITS_OF_BYTES("G", 30),
	UNITS_OF_BYTES("T", 40),
	{ NULL, 0 },
};
static const struct unit duration_units[] = {
	{ "", 1000 },     { "ms", 1 },       { "s", 1000 }, { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

void
config_value_bound(enum config_type type, int64_t n, char to[CONFIG_BOUND_MAX])
{
	static const struct {
		enum config_type type;
		int64_t factor;
		const char *suffix;
	} units[] = {
		{ CONFIG_DURATION, 86400000, "d" }, { CONFIG_DURATION, 3600000, "h" },
		{ CONFIG_DURATION, 60000, "m" },    { CONFIG_DURATION, 1000, "s" },
		{ CONFIG_DURATION, 1, "ms" },       { CONFIG_BYTES, 1 << 30, "GiB" },
		{ CONFIG_BYTES, 1 << 20, "MiB" },   { CONFIG_BYTES, 1 << 10, "KiB" },
	};

	for (size_t i = 0; n != 0 && i < ARRAY_LEN(units); i++)
		if (units[i].type == type && n % units[i].factor == 0) {
			(void)snprintf(to, CONFIG_BOUND_MAX, "%" PRId64 "%s", n / units[i].factor,
				       units[i].suffix);
			return;
		}
	(void)snprintf(to, CONFIG_BOUND_MAX, "%" PRId64, n);
}

/* Puts "value" before the words, with bytes that are not plain ASCII as '?'. */
static int
value_refuse(const char *text, const char *words, struct err *e)
{
	char shown[SHOWN_MAX + 1];
	size_t i;

	for (i = 0; text[i] != '\0' && i < SHOWN_MAX; i++)
		shown[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	shown[i] = '\0';
	return err_set(e, ERR_INVALID, "\"%s%s\" %s", shown, text[i] ? "..." : "", words);
}

static const struct unit *
value_units_of(enum config_type type)
{
	if (type == CONFIG_BYTES)
		return byte_units;
	return type == CONFIG_DURATION ? duration_units : no_units;
}

/* The number with its unit applied; -1 when text is none or it overflows. */
static int
value_scale(const char *text, const struct unit *u, int64_t *ret)
{
	bool negative = text[0] == '-', time = u == duration_units;
	char *end;
	long long n;

	if (text[negative] < '0' || text[negative] > '9')
		return -1;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno == ERANGE)
		return -1;
	/* 1M of time would be a month to some */
	while (u->suffix && (time ? strcmp(u->suffix, end) : strcasecmp(u->suffix, end)) != 0)
		u++;
	if (!u->suffix || n > INT64_MAX / u->factor || n < INT64_MIN / u->factor)
		return -1;
	*ret = n * u->factor;
	return 0;
}

/* "is not in 3s to 1h" */
static int
value_refuse_range(const struct config_key *key, const char *text, int64_t max, struct err *e)
{
	char words[2 * CONFIG_BOUND_MAX + 32], low[CONFIG_BOUND_MAX], high[CONFIG_BOUND_MAX];

	config_value_bound(key->type, key->min, low);
	config_value_bound(key->type, max, high);
	if (max == INT64_MAX)
		(void)snprintf(words, sizeof words, "is below %s", low);
	else
		(void)snprintf(words, sizeof words, "is not in %s to %s", low, high);
	return value_refuse(text, words, e);
}

static int
value_read_number(const struct config_key *key, const char *text, void *member, struct err *e)
{
	static const char *const kinds[] = {
		[CONFIG_INTEGER] = "is not a whole number",
		[CONFIG_BYTES] = "is not a number of bytes (such as 4096, 64KiB, 2GiB)",
		[CONFIG_DURATION] = "is not a duration (such as 500ms, 30s, 5m, 2h)",
	};
	bool any = key->min == 0 && key->max == 0;
	int64_t n, max = any ? INT64_MAX : key->max;

	if (value_scale(text[0] ? text : "0", value_units_of(key->type), &n) < 0)
		return value_refuse(text, kinds[key->type], e);
	if (n < key->min || n > max)
		return value_refuse_range(key, text, max, e);
	if (member)
		memcpy(member, &n, sizeof n);
	return 0;
}

static int
value_read_flag(const char *text, void *member, struct err *e)
{
	static const char *const words[] = { "false", "true", "0", "1", "no", "yes" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text[0] ? text : "false", words[i]) == 0) {
			bool flag = i % 2 == 1;

			if (member)
				memcpy(member, &flag, sizeof flag);
			return 0;
		}
	return value_refuse(text, "is neither true nor false", e);
}

static int
value_refuse_choice(const struct config_key *key, const char *text, struct err *e)
{
	SCOPED(str_free) struct str words = STR_MAX(200);

	str_printf(&words, "is none of ");
	for (const char *at = key->choices ? key->choices : ""; *at; at++)
		str_printf(&words, *at == '|' ? ", " : "%c", *at);
	return value_refuse(text, str_text(&words), e);
}

static int
value_read_choice(const struct config_key *key, const char *text, void *member, struct err *e)
{
	const char *word = key->choices;
	size_t len = strlen(text);
	int i;

	for (i = 0; word; i++) {
		const char *bar = strchr(word, '|');
		size_t n = bar ? (size_t)(bar - word) : strlen(word);

		if (len == 0 || (n == len && strncasecmp(word, text, n) == 0)) {
			if (member)
				memcpy(member, &i, sizeof i);
			return 0;
		}
		word = bar ? bar + 1 : NULL;
	}
	return value_refuse_choice(key, text, e);
}

static int
value_read_text(const struct config_key *key, const char *text, void *member, struct err *e)
{
	size_t len = strlen(text), i;

	if (len >= key->size)
		return err_set(e, ERR_INVALID, "is longer than %zu bytes", key->size - 1);
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return err_set(e, ERR_INVALID, "holds a control byte");
	if (!utf8_valid(text, len))
		return err_set(e, ERR_INVALID, "is not UTF-8");
	if (member)
		memcpy(member, text, len + 1);
	return 0;
}

static int
value_read_secret(const char *text, struct secret *member, struct err *e)
{
	size_t len = strlen(text);

	if (len >= SECRET_MAX)
		return err_set(e, ERR_INVALID, "is longer than %d bytes", SECRET_MAX - 1);
	if (member) {
		memcpy(member->bytes, text, len + 1);
		member->len = len;
	}
	return 0;
}

static int
value_read(const struct config_key *key, const char *text, void *member, struct err *e)
{
	switch (key->type) {
	case CONFIG_TEXT:
		return value_read_text(key, text, member, e);
	case CONFIG_INTEGER:
	case CONFIG_BYTES:
	case CONFIG_DURATION:
		return value_read_number(key, text, member, e);
	case CONFIG_FLAG:
		return value_read_flag(text, member, e);
	case CONFIG_CHOICE:
		return value_read_choice(key, text, member, e);
	case CONFIG_SECRET:
		return value_read_secret(text, member, e);
	}
	return err_set(e, ERR_INTERNAL, "unknown type of key");
}

int
config_value_read(const struct config_key *key, const char *text, void *member, struct err *e)
{
	int r = value_read(key, text, member, e);

	return r == 0 && !member && key->check && text[0] ? key->check(text, e) : r;
}
