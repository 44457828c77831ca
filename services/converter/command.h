/* What an operator types: `converter jobs ...`, `converter dead ...`. One file per command. Exit
 * codes: 0 done, 1 failed, 100 usage. Output is for eye and pipe: aligned columns, or with --json
 * one JSON object a line; never a control character of anyone's data. */
#ifndef TONEARM_CONVERTER_COMMAND_H
#define TONEARM_CONVERTER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define COMMAND_DONE 0
#define COMMAND_FAILED 1
#define COMMAND_USAGE 100

/* Entries of daemon_spec.commands; config is a struct converter_config. */
int command_convert(int argc, char **argv, const void *config);
int command_dead(int argc, char **argv, const void *config);
int command_jobs(int argc, char **argv, const void *config);
int command_janitor(int argc, char **argv, const void *config);

/* Prints "converter: what: words" to stderr, with what to do next; returns COMMAND_FAILED. */
int command_failed(const char *what, const struct err *e);

/* Options of a verb: each --name VALUE or --name alone; other words are operands. */
struct command_options {
	const char *state, *user, *queue;
	int64_t limit; /* as it stands there is the default */
	bool json, all;
	char **operands; /* in argv, moved to its front */
	int operand_count;
};
/* One verb of a command: which options it takes ("state user limit json"), how many operands. */
struct command_verb {
	const char *name;
	int (*run)(const struct command_options *, const void *config);
	const char *options;
	int operands_min, operands_max;
	const char *help;
};
/* The verbs end with name NULL. Finds argv[1], reads its options, runs it; prints the usage to
 * stderr (COMMAND_USAGE), or with --help to stdout (COMMAND_DONE). notes: what the usage ends with.
 */
int command_run(int argc, char **argv, const struct command_verb *verbs, const char *notes,
		const void *config);

/* The same for a command that has no verbs: verb[1] is the end. */
int command_run_single(int argc, char **argv, const struct command_verb *verb, const char *notes,
		       const void *config);

#define COMMAND_LIMIT_DEFAULT 100
#define COMMAND_LIMIT_MAX 10000

/* Writes at most width columns (0 = no limit) of hostile bytes: what is no printable UTF-8 as \xHH,
 * a backslash doubled; returns the columns written. */
int command_put_text(FILE *to, const char *text, size_t len, int width);
/* 2026-01-31T12:00:00Z or "-". */
void command_time(char ret[32], int64_t unix_ms);

#endif
