#include <string.h>

#include "daemon/command.h"

#define HELP_COLUMN 22

static void
help_print_option(FILE *to, const struct command_option *o)
{
	(void)fprintf(to, " [--%s%s%s]", o->name, o->value ? " " : "", o->value ? o->value : "");
}

static void
help_print_line(FILE *to, const char *daemon, const struct command *command,
		const struct command_verb *verb)
{
	const struct command_option *o;

	(void)fprintf(to, "  %s %s", daemon, command->name);
	if (verb->name)
		(void)fprintf(to, " %s", verb->name);
	if (verb->operands)
		(void)fprintf(to, " %s", verb->operands);
	for (o = verb->options; o && o->name; o++)
		if (o->type == COMMAND_INSTEAD)
			(void)fprintf(to, " | --%s", o->name);
	for (o = verb->options; o && o->name; o++)
		if (o->type != COMMAND_INSTEAD)
			help_print_option(to, o);
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

/* Each line of text behind so many blanks. */
static void
help_print_indented(FILE *to, int blanks, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		(void)fprintf(to, "%*s%.*s\n", blanks, "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void
help_explain_option(FILE *to, const struct command_option *o)
{
	char word[64];

	(void)snprintf(word, sizeof word, "--%s%s%s", o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	(void)fprintf(to, "    %-*s%s", HELP_COLUMN - 4, word, o->help);
	if (o->type == COMMAND_NUMBER)
		(void)fprintf(to, "; %lld to %lld, else %lld", (long long)o->min, (long long)o->max,
			      (long long)o->fallback);
	(void)fputc('\n', to);
}

static void
help_explain_verb(FILE *to, const struct command_verb *verb)
{
	(void)fprintf(to, "\n%s%s", verb->name ? verb->name : "", verb->name ? ":\n" : "");
	help_print_indented(to, verb->name ? 2 : 0, verb->help);
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
	if (command->notes)
		(void)fprintf(to, "\n%s\n", command->notes);
	(void)fputs("\nExit: 0 done, 1 failed, 100 usage.\n", to);
}
