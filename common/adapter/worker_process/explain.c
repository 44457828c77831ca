#include "adapter/worker_process/private.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct reason {
	int result;
	const char *code, *message;
	const char *before, *after; /* of a format's name, in place of message; NULL = no name */
};

/* Users read the message; clients and dashboards may rely on the code. */
static const struct reason reasons[WORKER_FAILURES] = {
	[WORKER_NOT_MEDIA] = { ERR_INVALID, "not_media",
			       "this file is not a media file that can be read", NULL, NULL },
	[WORKER_NO_AUDIO] = { ERR_INVALID, "no_audio", "the file has no sound track", NULL, NULL },
	[WORKER_EMPTY] = { ERR_INVALID, "empty", "the file is empty", NULL, NULL },
	[WORKER_TRUNCATED] = { ERR_CORRUPT, "truncated",
			       "the file is incomplete: a part of it is missing", NULL, NULL },
	[WORKER_DAMAGED] = { ERR_CORRUPT, "damaged", "the sound track is damaged", NULL, NULL },
	[WORKER_UNSUPPORTED] = { ERR_INVALID, "unsupported",
				 "the format of the sound track is not supported", NULL, NULL },
	[WORKER_TOO_LONG] = { ERR_TOO_LARGE, "too_long", "the sound track is too long", NULL,
			      NULL },
	[WORKER_OUT_OF_MEMORY] = { ERR_NO_MEMORY, "out_of_memory",
				   "the conversion needed too much memory", NULL, NULL },
	[WORKER_BROKEN] = { ERR_INTERNAL, "worker_crashed",
			    "the converter could not handle this file", NULL, NULL },
	[WORKER_PROTECTED] = { ERR_INVALID, "protected",
			       "the sound track is protected: it can be played by those alone that "
			       "have its key",
			       NULL, NULL },
	[WORKER_UNFINISHED] = { ERR_CORRUPT, "truncated",
				"the recording was not finished: the index that mp4 writes at its "
				"end is missing",
				NULL, NULL },
	[WORKER_UNKNOWN_FILE] = { ERR_INVALID, "unsupported",
				  "the format of this file is not supported", "",
				  " files are not supported" },
	[WORKER_UNKNOWN_CODEC] = { ERR_INVALID, "unsupported",
				   "the format of the sound track is not supported",
				   "the sound track's format (", ") is not supported" },
};
static const struct reason too_slow = { ERR_TIMEOUT, "timeout", "the conversion took too long",
					NULL, NULL };
static const struct reason too_costly = { ERR_TIMEOUT, "cpu_time",
					  "the conversion needed too much processor time", NULL,
					  NULL };

static const struct reason stopped = { ERR_UNAVAILABLE, "stopped",
				       "the conversion was stopped before its end", NULL, NULL };

/* Of a format's name, bytes. */
#define EXPLAIN_NAME_MAX 40

/* A name comes from the worker, which hostile bytes may have taken over. A table of all that libav
 * knows would have to follow its versions, so a name is any short text that can only be read: of
 * letters, digits and a few signs, a dot in front of digits alone, and so never an address. */
static bool
explain_is_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789 -+_'";
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!strchr(allowed, text[i]) &&
		    !(text[i] == '.' && text[i + 1] >= '0' && text[i + 1] <= '9'))
			return false;
	return len > 0 && len <= EXPLAIN_NAME_MAX;
}

static int
explain_reason(const struct reason *reason, struct job_error *ret_why)
{
	(void)snprintf(ret_why->code, sizeof ret_why->code, "%s", reason->code);
	(void)snprintf(ret_why->message, sizeof ret_why->message, "%s", reason->message);
	return reason->result;
}

int
worker_failure_explain(enum worker_failure failure, const char *detail, struct job_error *ret_why,
		       struct err *e)
{
	const struct reason *reason = &reasons[failure];

	assert(reason->result < 0);
	(void)explain_reason(reason, ret_why);
	if (reason->before && explain_is_name(detail))
		(void)snprintf(ret_why->message, sizeof ret_why->message, "%s%s%s", reason->before,
			       detail, reason->after);
	return err_set(e, reason->result, "%s: %s", reason->code, detail);
}

int
worker_timeout_explain(struct job_error *ret_why, struct err *e)
{
	return err_set(e, explain_reason(&too_slow, ret_why),
		       "the worker had to be stopped: too slow");
}

int
worker_end_explain(int status, struct job_error *ret_why, struct err *e)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP)
		return err_set(e, explain_reason(&stopped, ret_why),
			       "the worker was asked to stop by signal %d", signal);
	if (signal == SIGXCPU)
		return err_set(e, explain_reason(&too_costly, ret_why),
			       "the worker used up its CPU time");
	/* Nobody but the kernel kills a worker that its parent did not. */
	if (signal == SIGKILL)
		return err_set(e, explain_reason(&reasons[WORKER_OUT_OF_MEMORY], ret_why),
			       "the worker was killed, as the kernel does when memory is short");
	if (signal)
		return err_set(e, explain_reason(&reasons[WORKER_BROKEN], ret_why),
			       "the worker crashed with signal %d", signal);
	return err_set(e, explain_reason(&reasons[WORKER_BROKEN], ret_why),
		       "the worker ended early with exit code %d",
		       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}
