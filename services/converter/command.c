#include "converter/command.h"

#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "base/text/utf8.h"

static const char *
advice(int code)
{
	switch (code) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return "check MONGODB_URI and AMQP_URL, and that the servers run";
	case ERR_NOT_FOUND:
		return "the command's list shows what there is";
	default:
		return NULL;
	}
}

int
command_failed(const char *what, const struct err *e)
{
	const char *next = advice(e->code);

	(void)fprintf(stderr, "converter: %s: ", what);
	(void)command_put_text(stderr, e->text, strlen(e->text), 0);
	(void)fputc('\n', stderr);
	if (next)
		(void)fprintf(stderr, "converter: %s\n", next);
	return COMMAND_FAILED;
}

/* What may change the order or the look of the text around it: C1, zero width, direction. */
static bool
is_tricky(const char *text, size_t n)
{
	const unsigned char *u = (const unsigned char *)text;

	if (n == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	if (n != 3)
		return false;
	return (u[0] == 0xe2 && u[1] == 0x80 && (u[2] >= 0x8b && u[2] <= 0x8f)) ||
	       (u[0] == 0xe2 && u[1] == 0x80 && (u[2] >= 0xa8 && u[2] <= 0xae)) ||
	       (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa0) ||
	       (u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf);
}

/* The next piece: its bytes as they are (1 column), or one byte escaped. */
static size_t
next_piece(const char *text, size_t left, char ret[8], int *ret_columns)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = utf8_sequence(text, left);

	if (n > 0 && c >= 0x20 && c != 0x7f && c != '\\' && !is_tricky(text, n)) {
		memcpy(ret, text, n);
		ret[n] = '\0';
		*ret_columns = 1;
		return n;
	}
	*ret_columns = snprintf(ret, 8, c == '\\' ? "\\\\" : "\\x%02x", c);
	return 1;
}

int
command_put_text(FILE *to, const char *text, size_t len, int width)
{
	int used = 0;

	while (len > 0) {
		char piece[8];
		int columns;
		size_t n = next_piece(text, len, piece, &columns);

		if (width > 0 && used + columns + (n < len) * 3 > width) {
			(void)fputs("...", to);
			return used + 3;
		}
		(void)fputs(piece, to);
		used += columns;
		text += n;
		len -= n;
	}
	return used;
}

void
command_time(char ret[32], int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	memcpy(ret, "-", 2);
	if (unix_ms > 0 && gmtime_r(&seconds, &tm))
		(void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static int
usage(FILE *to, const char *command, const struct command_verb *verbs, const char *notes)
{
	(void)fputs("usage:\n", to);
	for (; verbs->name; verbs++)
		(void)fprintf(to, "  converter %s %s\n", command, verbs->help);
	(void)fprintf(to, "%s", notes);
	(void)fputs("--json: one JSON object a line. Exit: 0 done, 1 failed, 100 usage.\n", to);
	return to == stdout ? COMMAND_DONE : COMMAND_USAGE;
}

static bool
takes(const struct command_verb *verb, const char *name)
{
	const char *at = verb->options;
	size_t n = strlen(name);

	while ((at = strstr(at, name)) != NULL) {
		if ((at == verb->options || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
		at += n;
	}
	return false;
}

/* Words of what is wrong, or NULL. value is NULL where none follows; *ret_used tells whether it
 * belongs to the option. */
static const char *
read_option(const struct command_verb *verb, const char *name, const char *value,
	    struct command_options *o, bool *ret_used)
{
	const struct {
		const char *name;
		const char **text;
		bool *flag;
	} known[] = {
		{ "state", &o->state, NULL }, { "user", &o->user, NULL },
		{ "queue", &o->queue, NULL }, { "json", NULL, &o->json },
		{ "all", NULL, &o->all },     { "all-failed", NULL, &o->all },
	};
	long long limit;

	*ret_used = false;
	if (!takes(verb, name))
		return "no such option here";
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (known[i].flag)
			return *known[i].flag = true, NULL;
		*known[i].text = value;
		*ret_used = true;
		return value ? NULL : "its value is missing";
	}
	if (value == NULL || parse_int(value, 1, COMMAND_LIMIT_MAX, &limit, NULL) < 0)
		return "a number from 1 to 10000 is needed";
	o->limit = limit;
	*ret_used = true;
	return NULL;
}

static int
read_options(const struct command_verb *verb, int argc, char **argv, struct command_options *o)
{
	const char *wrong;
	bool used;

	*o = (struct command_options){ .limit = COMMAND_LIMIT_DEFAULT, .operands = argv };
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			argv[o->operand_count++] = argv[i];
			continue;
		}
		wrong = read_option(verb, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL, o, &used);
		if (wrong) {
			(void)fputs("converter: ", stderr);
			(void)command_put_text(stderr, argv[i], strlen(argv[i]), 0);
			(void)fprintf(stderr, ": %s\n", wrong);
			return -1;
		}
		i += used;
	}
	if (o->operand_count > verb->operands_max ||
	    (o->operand_count < verb->operands_min && !o->all) || (o->all && o->operand_count)) {
		(void)fprintf(stderr, "converter: %s: an argument too many or too few\n",
			      verb->name);
		return -1;
	}
	return 0;
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
run_verb(const struct command_verb *verb, const struct command_options *options, const void *config)
{
	int r = verb->run(options, config);

	/* A full disk behind > must not look like success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && r == COMMAND_DONE) {
		(void)fputs("converter: standard output could not be written\n", stderr);
		return COMMAND_FAILED;
	}
	return r;
}

int
command_run(int argc, char **argv, const struct command_verb *verbs, const char *notes,
	    const void *config)
{
	const struct command_verb *verb = verbs;
	struct command_options options;

	if (asks_for_help(argc, argv))
		return usage(stdout, argv[0], verbs, notes);
	while (verb->name && (argc < 2 || strcmp(verb->name, argv[1]) != 0))
		verb++;
	if (verb->name == NULL || read_options(verb, argc - 2, argv + 2, &options) < 0)
		return usage(stderr, argv[0], verbs, notes);
	return run_verb(verb, &options, config);
}

int
command_run_single(int argc, char **argv, const struct command_verb *verb, const char *notes,
		   const void *config)
{
	struct command_options options;

	if (asks_for_help(argc, argv))
		return usage(stdout, argv[0], verb, notes);
	if (read_options(verb, argc - 1, argv + 1, &options) < 0)
		return usage(stderr, argv[0], verb, notes);
	return run_verb(verb, &options, config);
}
