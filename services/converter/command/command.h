/* What an operator types: `converter jobs ...`, `converter dead ...`. One file per command; the
 * reading of words, --help and exit codes are daemon/command's. Output is for eye and pipe: aligned
 * columns, or with --json one JSON object a line; never a control character of anyone's data. */
#ifndef TONEARM_CONVERTER_COMMAND_H
#define TONEARM_CONVERTER_COMMAND_H

#include "base/err.h"
#include "daemon/command.h"

extern const struct command command_convert, command_dead, command_janitor, command_jobs;

/* command_failed, with what to do next. */
int converter_failed(const struct command_call *call, const char *what, const struct err *e);

#define COMMAND_LIMIT_DEFAULT 100
#define COMMAND_LIMIT_MAX 10000

/* Options that several commands have. */
#define COMMAND_JSON                                                                               \
	{                                                                                          \
		.name = "json", .help = "one JSON object a line"                                   \
	}
#define COMMAND_LIMIT                                                                              \
	{                                                                                          \
		.type = COMMAND_NUMBER, .name = "limit", .value = "N", .help = "at most so many",  \
		.min = 1, .max = COMMAND_LIMIT_MAX, .fallback = COMMAND_LIMIT_DEFAULT              \
	}

#endif
