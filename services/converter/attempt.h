/* One attempt at a job, between its lease and its record. */
#ifndef TONEARM_CONVERTER_ATTEMPT_H
#define TONEARM_CONVERTER_ATTEMPT_H

#include <stdbool.h>

#include "converter/converter.h"
#include "converter/pace.h"
#include "flow/lease.h"

struct attempt {
	const struct converter *c; /* set once */
	const struct job *job;
	struct lease_keeper *keeper;
	struct pace pace;
	/* what it came to */
	struct job_result made; /* its mp3_fid and bytes alone when the output was adopted */
	/* what earlier attempts have registered: one of them may have been adopted */
	struct blob_id others[JOB_OUTPUTS_MAX];
	size_t other_count;
	bool adopted, handed_back, server_lost;
	struct job_error why; /* set on failure */
};

/* 0: made.mp3_fid is committed. Else why is set, and server_lost when it was not the job's fault.
 */
int attempt_run(struct attempt *a, struct err *e);
/* The lease is someone else's: nothing may be written under it. */
bool attempt_lost(const struct attempt *a);

#endif
