#include "base/config/config.h"

#include <stdint.h>
#include <string.h>

#include "base/config/value.h"
#include "base/text/wrap.h"

#define CELL_MAX 512
#define HELP_INDENT 6

struct cells {
	char type[CELL_MAX];
	const char *fallback;
};

static void
config_describe_range(const struct config_key *key, const char *word, char *to)
{
	char min[CONFIG_BOUND_MAX], max[CONFIG_BOUND_MAX];

	config_value_bound(key->type, key->min, min);
	config_value_bound(key->type, key->max, max);
	if (key->min == 0 && (key->max == 0 || key->max == INT64_MAX))
		(void)snprintf(to, CELL_MAX, "%s", word);
	else if (key->max == INT64_MAX)
		(void)snprintf(to, CELL_MAX, "%s from %s", word, min);
	else
		(void)snprintf(to, CELL_MAX, "%s %s to %s", word, min, max);
}

static struct cells
config_describe(const struct config_key *key)
{
	static const char *const words[] = {
		[CONFIG_TEXT] = "text",       [CONFIG_INTEGER] = "number",
		[CONFIG_BYTES] = "bytes",     [CONFIG_DURATION] = "duration",
		[CONFIG_FLAG] = "true|false", [CONFIG_CHOICE] = "choice",
		[CONFIG_SECRET] = "secret",
	};
	struct cells c = { .fallback = key->fallback };

	if (!key->fallback)
		c.fallback = "(required)";
	else if (key->fallback[0] == '\0')
		c.fallback = "-";
	config_describe_range(key, key->type == CONFIG_CHOICE ? key->choices : words[key->type],
			      c.type);
	return c;
}

static void
config_help_key(const struct config_key *key, FILE *to)
{
	struct cells c = config_describe(key);
	int used = fprintf(to, "  %s ", key->name);
	char what[2 * CELL_MAX];

	if (!key->fallback)
		(void)snprintf(what, sizeof what, " %s, required", c.type);
	else
		(void)snprintf(what, sizeof what, key->fallback[0] ? " %s, else %s" : " %s", c.type,
			       c.fallback);
	wrap_text(to, used > 0 ? (size_t)used : 0, HELP_INDENT, what);
	(void)fprintf(to, "%*s", HELP_INDENT, "");
	wrap_text(to, HELP_INDENT, HELP_INDENT, key->help);
}

static void
config_help_text(const struct config_key *const *tables, FILE *to)
{
	for (; *tables; tables++)
		for (const struct config_key *key = *tables; key->name; key++)
			config_help_key(key, to);
	(void)fputs("\nEach NAME can also be given as NAME_FILE, the path of a file that holds the "
		    "value.\n",
		    to);
}

/* A cell of a table: a bar would end it. */
static void
config_cell(FILE *to, const char *text, const char *quote)
{
	(void)fprintf(to, " %s", quote);
	for (; *text; text++)
		(void)fprintf(to, *text == '|' ? "\\%c" : "%c", *text);
	(void)fprintf(to, "%s |", quote);
}

static void
config_help_markdown(const struct config_key *const *tables, FILE *to)
{
	const struct config_key *key;

	(void)fprintf(to, "| name | type | default | meaning |\n| --- | --- | --- | --- |\n");
	for (; *tables; tables++)
		for (key = *tables; key->name; key++) {
			struct cells c = config_describe(key);
			bool literal = key->fallback && key->fallback[0] != '\0';

			(void)fprintf(to, "|");
			config_cell(to, key->name, "`");
			config_cell(to, c.type, "");
			config_cell(to, c.fallback, literal ? "`" : "");
			config_cell(to, key->help, "");
			(void)fprintf(to, "\n");
		}
	(void)fprintf(
		to, "\nEach `NAME` can also be given as `NAME_FILE`, the path of a file that holds "
		    "the value.\n");
}

void
config_help(const struct config_key *const *tables, enum config_help_format format, FILE *to)
{
	if (format == CONFIG_HELP_MARKDOWN)
		config_help_markdown(tables, to);
	else
		config_help_text(tables, to);
}
