/* Configuration from the environment by a typed table: each key once, with type, default, range,
 * unit and help. NAME_FILE names a file that holds the value (one trailing newline is dropped);
 * NAME and NAME_FILE together are an error. An empty variable counts as unset. One error lists
 * every bad key, and those whose values contradict each other, without any secret's value. */
#ifndef TONEARM_BASE_CONFIG_CONFIG_H
#define TONEARM_BASE_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/secret.h"

enum config_type {
	CONFIG_TEXT,     /* char[N] */
	CONFIG_INTEGER,  /* int64_t */
	CONFIG_BYTES,    /* int64_t; suffixes KiB MiB GiB TiB (and K KB Ki and so on, the same) */
	CONFIG_DURATION, /* int64_t milliseconds; suffixes ms s m h d; a bare number is seconds */
	CONFIG_FLAG,     /* bool; true/false/1/0/yes/no, in any case of the letters */
	CONFIG_CHOICE,   /* int; index of the word in choices ("text|json"), in any case */
	CONFIG_SECRET,   /* struct secret */
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;
	size_t size;          /* of the member */
	const char *fallback; /* default as text; NULL = required; "" = empty or zero is fine */
	int64_t min, max;     /* of numbers; both 0 = any value >= 0 */
	const char *choices;
	const char *help;
	/* Of a text or secret: reads it as the code does that uses it. The words must not quote a
	 * secret. NULL: any will do. */
	int (*check)(const char *text, struct err *e);
	const char
		*apart; /* keys of one word here must not have the same value, but for 0 and "" */
};

#define CONFIG_KEY_TEXT(s, m, n, d, h)                                                             \
	{                                                                                          \
		.name = n, .type = CONFIG_TEXT, .offset = offsetof(s, m),                          \
		.size = sizeof(((s *)0)->m), .fallback = d, .help = h                              \
	}
#define CONFIG_KEY_SECRET(s, m, n, d, h)                                                           \
	{                                                                                          \
		.name = n, .type = CONFIG_SECRET, .offset = offsetof(s, m),                        \
		.size = sizeof(((s *)0)->m), .fallback = d, .help = h                              \
	}
#define CONFIG_KEY_NUMBER(t, s, m, n, d, lo, hi, h)                                                \
	{                                                                                          \
		.name = n, .type = t, .offset = offsetof(s, m), .size = sizeof(((s *)0)->m),       \
		.fallback = d, .min = lo, .max = hi, .help = h                                     \
	}
#define CONFIG_KEY_FLAG(s, m, n, d, h)                                                             \
	{                                                                                          \
		.name = n, .type = CONFIG_FLAG, .offset = offsetof(s, m),                          \
		.size = sizeof(((s *)0)->m), .fallback = d, .help = h                              \
	}
#define CONFIG_KEY_CHOICE(s, m, n, d, c, h)                                                        \
	{                                                                                          \
		.name = n, .type = CONFIG_CHOICE, .offset = offsetof(s, m),                        \
		.size = sizeof(((s *)0)->m), .fallback = d, .choices = c, .help = h                \
	}
#define CONFIG_KEY_TEXT_CHECKED(s, m, n, d, c, h)                                                  \
	{                                                                                          \
		.name = n, .type = CONFIG_TEXT, .offset = offsetof(s, m),                          \
		.size = sizeof(((s *)0)->m), .fallback = d, .check = c, .help = h                  \
	}
#define CONFIG_KEY_SECRET_CHECKED(s, m, n, d, c, h)                                                \
	{                                                                                          \
		.name = n, .type = CONFIG_SECRET, .offset = offsetof(s, m),                        \
		.size = sizeof(((s *)0)->m), .fallback = d, .check = c, .help = h                  \
	}
/* A port that the daemon listens on. */
#define CONFIG_KEY_PORT(s, m, n, d, lo, h)                                                         \
	{                                                                                          \
		.name = n, .type = CONFIG_INTEGER, .offset = offsetof(s, m),                       \
		.size = sizeof(((s *)0)->m), .fallback = d, .min = lo, .max = 65535,               \
		.apart = "port", .help = h                                                         \
	}
/* Ends a table. */
#define CONFIG_END                                                                                 \
	{                                                                                          \
		.name = NULL                                                                       \
	}

typedef const char *(*config_getenv)(const char *name, void *arg);

/* Fills config from the process's environment by one or more tables (a NULL-terminated list).
 * INVALID with every bad key in the words (they may be longer than err.text: see config_report). */
int config_load(const struct config_key *const *tables, void *config, struct err *e);
/* The same from any source (get NULL = the environment), with all findings, one line each, on
 * report (may be NULL). */
int config_load_from(const struct config_key *const *tables, void *config, config_getenv get,
		     void *arg, FILE *report, struct err *e);
/* Calls found for each variable of environment ("NAME=value", ends with NULL) that is no key of the
 * tables but nearly one: a word or two mistyped. */
void config_each_stray(const struct config_key *const *tables, const char *const *environment,
		       void (*found)(void *arg, const char *name, const char *meant), void *arg);
/* The table for --help: name, type, default, help. markdown for the README. */
enum config_help_format { CONFIG_HELP_TEXT, CONFIG_HELP_MARKDOWN };
void config_help(const struct config_key *const *tables, enum config_help_format format, FILE *to);

#endif
