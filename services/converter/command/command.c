#include "converter/command/command.h"

static const char *
converter_advice(int code)
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
converter_failed(const struct command_call *call, const char *what, const struct err *e)
{
	return command_failed(call, what, e, converter_advice(e->code));
}
