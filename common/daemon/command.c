#include "daemon/command.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/text/legible.h"
#include "base/text/str.h"

static void
command_complain(const char *daemon, const char *words)
{
	(void)fprintf(stderr, "%s: ", daemon);
	(void)legible_print(stderr, words, strlen(words), 0);
	(void)fputc('\n', stderr);
}

int
command_wrong(const struct command_call *call, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	command_complain(call->daemon, words);
	command_print_usage(stderr, call->daemon, call->command, NULL);
	return COMMAND_USAGE;
}

const char *
command_verb_name(const struct command_call *call)
{
	return call->verb->name ? call->verb->name : call->command->name;
}

int
command_failed(const struct command_call *call, const char *what, const struct err *e,
	       const char *next)
{
	char words[sizeof e->text + 64];

	(void)snprintf(words, sizeof words, "%s: %s", what, e->text);
	command_complain(call->daemon, words);
	if (next)
		command_complain(call->daemon, next);
	return COMMAND_FAILED;
}

/* Its place in the table, or -1. */
static int
command_find_option(const struct command_verb *verb, const char *name, size_t len)
{
	const struct command_option *o = verb->options;

	for (int i = 0; o && o[i].name; i++)
		if (strlen(o[i].name) == len && memcmp(o[i].name, name, len) == 0)
			return i;
	return -1;
}

static const struct command_value *
command_value_of(const struct command_call *call, const char *name)
{
	int i = command_find_option(call->verb, name, strlen(name));

	assert(i >= 0 && i < COMMAND_OPTIONS_MAX);
	return &call->values[i];
}

bool
command_given(const struct command_call *call, const char *name)
{
	return command_value_of(call, name)->given;
}

const char *
command_text(const struct command_call *call, const char *name)
{
	return command_value_of(call, name)->text;
}

int64_t
command_number(const struct command_call *call, const char *name)
{
	return command_value_of(call, name)->number;
}

static void
command_set_defaults(struct command_call *call)
{
	const struct command_option *o = call->verb->options;

	for (int i = 0; o && o[i].name; i++) {
		assert(i < COMMAND_OPTIONS_MAX);
		call->values[i] = (struct command_value){ .number = o[i].fallback };
	}
}

/* Text is the option's value, or NULL where there is none. */
static int
command_take_value(struct command_call *call, int which, const char *text)
{
	const struct command_option *o = &call->verb->options[which];
	struct command_value *v = &call->values[which];
	long long number;

	v->given = true;
	v->text = text;
	if (o->type == COMMAND_FLAG || o->type == COMMAND_INSTEAD)
		return text ? command_wrong(call, "--%s: takes no value", o->name) : 0;
	if (!text)
		return command_wrong(call, "--%s: its value is missing: %s", o->name, o->value);
	if (o->type == COMMAND_TEXT)
		return 0;
	if (parse_int(text, o->min, o->max, &number, NULL) < 0)
		return command_wrong(call, "--%s: a number from %lld to %lld is needed", o->name,
				     (long long)o->min, (long long)o->max);
	v->number = number;
	return 0;
}

/* word: "name" or "name=value"; next: the word behind it or NULL. *ret_used: next was its value. */
static int
command_take_option(struct command_call *call, const char *word, const char *next, bool *ret_used)
{
	size_t len = strcspn(word + 2, "=");
	const char *value = word[2 + len] == '=' ? word + 2 + len + 1 : NULL;
	int i = strncmp(word, "--", 2) == 0 ? command_find_option(call->verb, word + 2, len) : -1;
	bool wants;

	*ret_used = false;
	if (i < 0)
		return command_wrong(call, "%.100s: no such option, an argument too many", word);
	wants = call->verb->options[i].value;
	if (wants && !value && next && strncmp(next, "--", 2) != 0) {
		value = next;
		*ret_used = true;
	}
	return command_take_value(call, i, value);
}

/* How many operands the help's words ask for; *ret_max: how many may come. */
static int
command_count_operands(const char *words, int *ret_max)
{
	size_t len = words ? strlen(words) : 0;
	int count = len > 0;

	for (size_t i = 0; i < len; i++)
		count += words[i] == ' ';
	*ret_max = len > 3 && strcmp(words + len - 3, "...") == 0 ? COMMAND_OPERANDS_MAX : count;
	return count;
}

/* Names the operand at which the words end too early. */
static int
command_miss_operand(const struct command_call *call)
{
	const char *at = call->verb->operands;
	size_t len;

	for (int i = 0; i < call->operand_count; i++)
		at = strchr(at, ' ') + 1;
	len = strcspn(at, " ");
	if (len > 3 && strncmp(at + len - 3, "...", 3) == 0)
		len -= 3;
	return command_wrong(call, "%.*s is missing", (int)len, at);
}

static int
command_check_operands(const struct command_call *call)
{
	const struct command_option *o = call->verb->options;
	const char *no_more = call->command->no_more;
	int max, min = command_count_operands(call->verb->operands, &max);

	for (int i = 0; o && o[i].name; i++)
		if (o[i].type == COMMAND_INSTEAD && call->values[i].given)
			min = max = 0;
	/* not named: it may be a secret that does not belong here */
	if (call->operand_count > max)
		return command_wrong(call, "an argument too many%s%s%s", no_more ? " (" : "",
				     no_more ? no_more : "", no_more ? ")" : "");
	return call->operand_count < min ? command_miss_operand(call) : 0;
}

static int
command_read_words(struct command_call *call, int argc, char **argv)
{
	bool ended = false, used = false;
	int r;

	call->operands = argv;
	for (int i = 0; i < argc; i++) {
		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
		} else if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[call->operand_count++] = argv[i];
		} else {
			r = command_take_option(call, argv[i], i + 1 < argc ? argv[i + 1] : NULL,
						&used);
			if (r != 0)
				return r;
			i += used;
		}
	}
	return command_check_operands(call);
}

static bool
command_asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* NULL: there is none of this name. A command without verbs is its own. */
static const struct command_verb *
command_find_verb(const struct command *command, int argc, char **argv)
{
	const struct command_verb *v = command->verbs;

	if (!v->name)
		return v;
	while (v->run && (argc < 2 || strcmp(v->name, argv[1]) != 0))
		v++;
	return v->run ? v : NULL;
}

bool
command_read(const char *daemon, const struct command *command, int argc, char **argv,
	     struct command_call *ret, int *ret_exit)
{
	const struct command_verb *verb = command_find_verb(command, argc, argv);
	int skip = verb && verb->name ? 2 : 1;

	*ret = (struct command_call){ .daemon = daemon, .command = command, .verb = verb };
	*ret_exit = COMMAND_DONE;
	if (command_asks_for_help(argc, argv)) {
		command_print_help(stdout, daemon, command, verb);
		return false;
	}
	if (!verb) {
		*ret_exit = argc < 2 ? command_wrong(ret, "%s: which command?", command->name)
				     : command_wrong(ret, "no such command: %.100s", argv[1]);
		return false;
	}
	command_set_defaults(ret);
	*ret_exit = command_read_words(ret, argc - skip, argv + skip);
	return *ret_exit == COMMAND_DONE;
}

int
command_run(struct command_call *call, const void *config)
{
	int code;

	call->config = config;
	code = call->verb->run(call);
	/* A full disk behind > must not look like success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == COMMAND_DONE) {
		command_complain(call->daemon, "standard output could not be written");
		return COMMAND_FAILED;
	}
	return code;
}
