/* The outbox: records of the ledger that are due become messages. A route says which due records
 * become which message to which destination; every record is published by the one route that takes
 * it, and marked.
 *
 *   ledger (due, unmarked) --route--> message --publisher--> destination, then the mark
 *
 * A message may be published twice and is never lost: the mark comes after the broker's confirm.
 * That is harmless, because a message on `video` is a permit, and notification records what it said.
 *
 * Threads  any; an outbox is set once and then only read.
 * Errors   those of the ledger and of the publisher, with the job's id. */
#ifndef TONEARM_FLOW_OUTBOX_H
#define TONEARM_FLOW_OUTBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text/str.h"
#include "port/job_outbox.h"
#include "port/queue.h"

/* Records that one call reads and publishes of each kind. */
#define OUTBOX_BATCH 64

struct outbox_route {
	enum job_publication due;          /* of the records that lack this publication */
	bool (*takes)(const struct job *); /* those that this route takes; NULL = all */
	const char *destination;           /* borrowed */
	int (*write)(const struct job *, struct str *body,
		     struct err *); /* what its message says */
};

struct outbox {
	struct job_outbox *jobs; /* borrowed */
	const struct outbox_route
		*routes; /* borrowed; the first that takes a record publishes it */
	size_t route_count;
};

/* Publishes the message of one record and marks it. A publish that took longer than patience_ms (0 =
 * no limit) is left unmarked, for a later round: TIMEOUT. A record that has moved on since it was
 * read is no error: its message was faster than its mark. */
int outbox_send(const struct outbox *o, struct publisher *p, const struct job *job,
		enum job_publication due, int64_t patience_ms, struct err *e);
/* Publishes what is due, at most a batch of each kind, in the order of the routes. A fault of one
 * record leaves the others their turn; a server that is away ends its batch. Returns the first
 * error; *ret_sent counts. stopping (may be NULL) ends it between two records. */
int outbox_send_due(const struct outbox *o, struct publisher *p, const atomic_bool *stopping,
		    int *ret_sent, struct err *e);
/* For a queue that is found missing (arg: a struct outbox): what was published to it and is not yet
 * taken is due again. No route to it: it means nothing here. */
int outbox_queue_missing(void *arg, const char *queue, struct err *e);

#endif
