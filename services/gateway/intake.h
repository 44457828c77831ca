/* Intake: one uploaded file on its way into the store and the ledger.
 *   begin -> write* -> accept       or, at any point, close: nothing stays behind.
 * The job is registered (uploading) before the first chunk, so that an unfinished blob is always
 * known. Threads: one. Errors are those of the stores, and INVALID for an empty file, TOO_LARGE
 * over the limit. */
#ifndef TONEARM_GATEWAY_INTAKE_H
#define TONEARM_GATEWAY_INTAKE_H

#include "gateway/gateway.h"
#include "net/multipart.h"

struct intake {
	const struct gateway *gateway;
	struct blob_writer *writer; /* owned; NULL before begin and after accept or close */
	struct job job;             /* as registered; spec: taken when it is accepted */
	bool registered;            /* the ledger has it as uploading */
	bool stored;                /* the blob may be visible */
};

/* expected: bytes that the ledger takes for this upload until it is known better; 0 = unknown. */
int intake_begin(struct intake *in, const struct gateway *g, const char *username,
		 const struct multipart_part *part, int64_t expected, struct err *e);
int intake_write(struct intake *in, const char *data, size_t len, struct err *e);
/* Commits the blob and queues the job: after 0 the upload may be acknowledged. It is announced on
 * the queue at once if the broker takes it; else the relay does so later. */
int intake_accept(struct intake *in, struct err *e);
/* Takes back what was not accepted. Fine at any point, also twice. */
void intake_close(struct intake *in);

#endif
