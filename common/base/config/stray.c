#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/config/config.h"

#define NAME_MAX_BYTES 64 /* of a variable that is looked at */
#define SHORT_BYTES 8     /* of a name in which one slip is the most, else two */

static size_t
stray_least(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static bool
stray_same(char a, char b)
{
	return strncasecmp(&a, &b, 1) == 0;
}

/* How many letters were left out, put in, changed, or changed places with their neighbour. */
static size_t
stray_slips(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_BYTES + 1], *before = rows[0], *above = rows[1], *row = rows[2];
	size_t la = strlen(a), lb = strlen(b), i, j;

	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t *spare = before;

		before = above;
		above = row;
		row = spare;
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			row[j] = stray_least(above[j] + 1, row[j - 1] + 1,
					     above[j - 1] + !stray_same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && stray_same(a[i - 1], b[j - 2]) &&
			    stray_same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return row[lb];
}

struct stray {
	char name[NAME_MAX_BYTES + 1];
	char meant[NAME_MAX_BYTES + 1]; /* "" = nothing is near */
	size_t slips;                   /* from it */
	bool known;
};

static void
stray_compare(struct stray *s, const char *key, const char *suffix)
{
	char name[NAME_MAX_BYTES + 1];
	int len = snprintf(name, sizeof name, "%s%s", key, suffix);
	size_t slips;

	if (len < 0 || (size_t)len >= sizeof name)
		return;
	if (strcmp(name, s->name) == 0)
		s->known = true;
	slips = stray_slips(s->name, name);
	if (slips <= (len < SHORT_BYTES ? 1 : 2) && slips < s->slips) {
		s->slips = slips;
		memcpy(s->meant, name, sizeof name);
	}
}

static void
stray_look(struct stray *s, const struct config_key *const *tables)
{
	for (; *tables; tables++)
		for (const struct config_key *key = *tables; key->name; key++) {
			stray_compare(s, key->name, "");
			stray_compare(s, key->name, "_FILE");
		}
}

void
config_each_stray(const struct config_key *const *tables, const char *const *environment,
		  void (*found)(void *arg, const char *name, const char *meant), void *arg)
{
	for (; *environment; environment++) {
		const char *end = strchr(*environment, '=');
		size_t len = end ? (size_t)(end - *environment) : 0;
		struct stray s = { .slips = NAME_MAX_BYTES };

		/* an empty variable counts as unset */
		if (len == 0 || len > NAME_MAX_BYTES || end[1] == '\0')
			continue;
		memcpy(s.name, *environment, len);
		stray_look(&s, tables);
		if (!s.known && s.meant[0] != '\0')
			found(arg, s.name, s.meant);
	}
}
