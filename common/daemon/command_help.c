#include "base/text/wrap.h"
#include "daemon/command.h"

#define HELP_COLUMN 22
#define USAGE_COLUMN 6

static size_t
help_print_option(FILE *to, size_t used, const struct command_option *o)
{
	char word[64];

	(void)snprintf(word, sizeof word, "[--%s%s%s]", o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	return wrap_word(to, used, USAGE_COLUMN, word);
}

static void
help_print_line(FILE *to, const char *daemon, const struct command *command,
		const struct command_verb *verb)
{
	const struct command_option *o;
	size_t used = (size_t)fprintf(to, "  %s %s", daemon, command->name);

	if (verb->name)
		used += (size_t)fprintf(to, " %s", verb->name);
	if (verb->operands)
		used += (size_t)fprintf(to, " %s", verb->operands);
	for (o = verb->options; o && o->name; o++)
		if (o->type == COMMAND_INSTEAD)
			used += (size_t)fprintf(to, " | --%s", o->name);
	for (o = verb->options; o && o->name; o++)
		if (o->type != COMMAND_INSTEAD)
			used = help_print_option(to, used, o);
	(void)fputc('\n', to);
}

void
command_print_usage(FILE *to, const char *daemon, const struct command *command,
		    const struct command_verb *verb)
{
	(void)fputs("usage:\n", to);
	if (verb) {
		help_print_line(to, daemon, command, verb);
		return;
	}
	for (verb = command->verbs; verb->run; verb++)
		help_print_line(to, daemon, command, verb);
}

static void
help_explain_option(FILE *to, const struct command_option *o)
{
	char word[64], words[256];

	(void)snprintf(word, sizeof word, "--%s%s%s", o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	if (o->type == COMMAND_NUMBER)
		(void)snprintf(words, sizeof words, "%s; %lld to %lld, else %lld", o->help,
			       (long long)o->min, (long long)o->max, (long long)o->fallback);
	else
		(void)snprintf(words, sizeof words, "%s", o->help);
	(void)fprintf(to, "    %-*s", HELP_COLUMN - 4, word);
	wrap_text(to, HELP_COLUMN, HELP_COLUMN, words);
}

static void
help_explain_verb(FILE *to, const struct command_verb *verb)
{
	size_t indent = verb->name ? 2 : 0;

	(void)fprintf(to, "\n%s%s", verb->name ? verb->name : "", verb->name ? ":\n  " : "");
	wrap_text(to, indent, indent, verb->help);
	for (const struct command_option *o = verb->options; o && o->name; o++)
		help_explain_option(to, o);
}

void
command_print_help(FILE *to, const char *daemon, const struct command *command,
		   const struct command_verb *verb)
{
	command_print_usage(to, daemon, command, verb);
	if (verb)
		help_explain_verb(to, verb);
	else
		for (verb = command->verbs; verb->run; verb++)
			help_explain_verb(to, verb);
	if (command->notes) {
		(void)fputc('\n', to);
		wrap_text(to, 0, 0, command->notes);
	}
	(void)fputs("\nExit: 0 done, 1 failed, 100 usage.\n", to);
}
