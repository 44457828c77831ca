/* What an operator types behind a daemon's name: `converter jobs list --limit 5`. Commands, their
 * verbs and options are tables. From them come the reading of the words, what is said of wrong ones,
 * and --help, which is true for that reason.
 *
 * Words    Options stand anywhere behind the verb: --name, --name VALUE or --name=VALUE; "--" ends
 *          them. --help or -h prints the help of what stands before it, without a configuration.
 * Exit     0 done, 1 failed, 100 usage: what is wrong goes to standard error with the usage. A
 *          standard output that cannot be written turns 0 into 1.
 * Bounds   COMMAND_OPTIONS_MAX options of a verb, COMMAND_OPERANDS_MAX operands of a call.
 * Threads  one. */
#ifndef TONEARM_DAEMON_COMMAND_H
#define TONEARM_DAEMON_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define COMMAND_DONE 0
#define COMMAND_FAILED 1
#define COMMAND_USAGE 100
#define COMMAND_OPTIONS_MAX 8
#define COMMAND_OPERANDS_MAX 10000

enum command_option_type {
	COMMAND_FLAG,
	COMMAND_INSTEAD, /* a flag in the operands' place: either it or they are needed */
	COMMAND_TEXT,
	COMMAND_NUMBER, /* whole, from min to max */
};
struct command_option {
	enum command_option_type type;
	const char *name;  /* without dashes */
	const char *value; /* what help calls its value, of a text or number */
	const char *help;
	int64_t min, max, fallback; /* of a number */
};

struct command_value {
	bool given;
	const char *text;
	int64_t number;
};
/* What was typed, read by the verb's table. Lives as long as the call. */
struct command_call {
	const char *daemon; /* its name */
	const struct command *command;
	const struct command_verb *verb;
	const void *config; /* the daemon's, loaded */
	char **operands;    /* in argv, moved to its front */
	int operand_count;
	struct command_value values[COMMAND_OPTIONS_MAX]; /* of verb->options, in their order */
};

struct command_verb {
	const char *name;     /* NULL in a command that has no verbs */
	const char *operands; /* as help names them: "IN OUT.mp3", "ID..."; NULL = none */
	const struct command_option *options;    /* ends with name NULL; NULL = none */
	const char *help;                        /* what it does; wrapped */
	int (*run)(const struct command_call *); /* returns the exit code; logs nothing */
};
struct command {
	const char *name, *summary;
	const struct command_verb *verbs; /* ends with run NULL */
	const char *notes;                /* with which help ends; may be NULL */
	const char *no_more;              /* said where an operand is one too many; may be NULL */
};

/* Reads argv, whose first word is the command's name. False when there is nothing to run: help was
 * printed, or what is wrong; *ret_exit is the exit code then. */
bool command_read(const char *daemon, const struct command *command, int argc, char **argv,
		  struct command_call *ret, int *ret_exit);
/* Runs what was read. */
int command_run(struct command_call *call, const void *config);

/* Of an option in the verb's table, by its name. */
bool command_given(const struct command_call *call, const char *name);
const char *command_text(const struct command_call *call, const char *name); /* NULL = not given */
int64_t command_number(const struct command_call *call, const char *name);

/* "daemon: words" and the usage to standard error; returns COMMAND_USAGE. */
int command_wrong(const struct command_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "daemon: what: words" and what to do next (NULL = nothing) to standard error; returns
 * COMMAND_FAILED. */
int command_failed(const struct command_call *call, const char *what, const struct err *e,
		   const char *next);
/* The verb's name, or the command's that has no verbs: for what. */
const char *command_verb_name(const struct command_call *call);

/* command_help.c: the lines of the usage, of one verb or (verb NULL) of all; and the whole help. */
void command_print_usage(FILE *to, const char *daemon, const struct command *command,
			 const struct command_verb *verb);
void command_print_help(FILE *to, const char *daemon, const struct command *command,
			const struct command_verb *verb);

#endif
