/* The relay: a thread that frees expired leases and publishes whatever is due and lacks its mark.
 * Runs in gateway and converter, any number of replicas at once. relay_poke wakes it early. */
#ifndef TONEARM_FLOW_RELAY_H
#define TONEARM_FLOW_RELAY_H

#include "base/err.h"
#include "base/scope.h"
#include "flow/outbox.h"

struct relay;
struct relay_config {
	const struct outbox *outbox; /* borrowed until relay_stop */
	struct publisher *publisher; /* borrowed until relay_stop */
	int64_t interval_ms;         /* between rounds when nobody pokes (1 s) */
	/* May be NULL. Called by the relay's thread when a round ends otherwise than the one
	 * before: with its error, or with code 0 when all is well again. */
	void (*on_change)(void *arg, const struct err *e);
	void *on_change_arg;
};

int relay_start(const struct relay_config *config, struct relay **ret, struct err *e);
void relay_poke(struct relay *r);
/* Ends the thread after its present round. NULL is fine. */
void relay_stop(struct relay *r);
SCOPE_DEFINE(struct relay, relay_stop)

/* One round: frees leases, then publishes what is due (outbox_send_due). Returns the first error
 * after trying everything; *ret_sent counts messages. */
int relay_round(const struct relay_config *config, int *ret_sent, struct err *e);

/* How a process publishes what it has just recorded, at once, before the relay would. All borrowed. */
struct relay_announcer {
	const struct outbox *outbox;
	struct publisher *publisher;
	struct relay *relay; /* gets what fails here; may be NULL in tests */
	int64_t patience_ms; /* the caller may have no time for another server that is slow; 0 = no
			      * limit */
};

/* Never fails: what cannot be published now is in the ledger, and the relay is poked. */
void relay_announce(const struct relay_announcer *a, const struct job *job,
		    enum job_publication due);

#endif
