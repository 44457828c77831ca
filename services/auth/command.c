#include "auth/command.h"

#include <string.h>

static const char *
auth_advice(int code)
{
	switch (code) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return "check MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DB, and "
		       "that the server runs and lets this user do it (migrate needs CREATE and "
		       "ALTER)";
	case ERR_NOT_FOUND:
		return "`auth user list` shows who there is";
	case ERR_CONFLICT:
		return "`auth user passwd` changes the password of a user that exists";
	case ERR_NO_MEMORY:
		return "free memory, or lower ARGON2_MEMORY";
	default:
		return NULL;
	}
}

int
auth_failed(const struct command_call *call, const struct err *e)
{
	/* Words that say what to do need no more of it. */
	return command_failed(call, command_verb_name(call), e,
			      strstr(e->text, "`auth ") ? NULL : auth_advice(e->code));
}
