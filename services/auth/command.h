/* What an operator types: `auth migrate`, `auth user ...`. Exit codes: 0 done, 1 failed, 100 usage.
 */
#ifndef TONEARM_AUTH_COMMAND_H
#define TONEARM_AUTH_COMMAND_H

#include "base/err.h"

#define COMMAND_DONE 0
#define COMMAND_FAILED 1
#define COMMAND_USAGE 100

/* Entries of daemon_spec.commands; config is a struct auth_config. */
int command_migrate(int argc, char **argv, const void *config);
int command_user(int argc, char **argv, const void *config);

/* Prints "auth: words" to stderr, with what to do next; returns COMMAND_FAILED. */
int command_failed(const char *what, const struct err *e);

#define PASSWORD_TEXT_MAX 1024
/* From a terminal: asked twice without echo. Else: the first line of standard input. INVALID when
 * it is empty, too long, no UTF-8 or differs. The caller wipes it. */
int password_prompt(char ret[PASSWORD_TEXT_MAX + 1], struct err *e);

#endif
