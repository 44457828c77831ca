/* What an operator types: `auth migrate`, `auth user ...`. The reading of words, --help and exit
 * codes are daemon/command's. */
#ifndef TONEARM_AUTH_COMMAND_H
#define TONEARM_AUTH_COMMAND_H

#include "base/err.h"
#include "daemon/command.h"

extern const struct command command_migrate, command_user;

/* command_failed, with what to do next. */
int auth_failed(const struct command_call *call, const struct err *e);

#define PASSWORD_TEXT_MAX 1024
/* From a terminal: asked twice without echo. Else: the first line of standard input. INVALID when
 * it is empty, too long, no UTF-8 or differs. The caller wipes it. */
int password_prompt(char ret[PASSWORD_TEXT_MAX + 1], struct err *e);

#endif
