/* What the verbs of `converter jobs` share. */
#ifndef TONEARM_CONVERTER_COMMAND_JOBS_H
#define TONEARM_CONVERTER_COMMAND_JOBS_H

#include "converter/command/command.h"
#include "converter/config.h"
#include "model/job.h"

struct open_ledger {
	struct backend *backend;
	struct ledger *ledger;
};

static inline void
open_ledger_close(struct open_ledger *l)
{
	backend_close(l->backend);
}

static inline int
open_ledger_open(const struct converter_config *config, struct open_ledger *ret, struct err *e)
{
	return converter_ledger_open(config, &ret->backend, &ret->ledger, e);
}

/* jobs_show.c. history NULL = none of it. */
int jobs_print_json(const struct job *job, const struct job_attempt *history, size_t count,
		    struct err *e);

/* jobs_show.c, jobs_files.c: the verbs. */
int jobs_show(const struct command_call *call);
int jobs_fetch(const struct command_call *call);
int jobs_delete(const struct command_call *call);

#endif
