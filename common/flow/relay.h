/* The relay: frees expired leases and publishes whatever is due and lacks its mark. Runs in gateway
 * and converter, any number of replicas at once; a doubled publish is harmless (video: a message is
 * a permit; result: notification marks what it said). One thread of its own; relay_poke wakes it
 * early. */
#ifndef TONEARM_FLOW_RELAY_H
#define TONEARM_FLOW_RELAY_H

#include "base/err.h"
#include "base/scope.h"
#include "port/job_outbox.h"
#include "port/queue.h"

struct relay;
struct relay_config {
	struct job_outbox *jobs;                            /* borrowed until relay_stop */
	struct publisher *publisher;                        /* borrowed until relay_stop */
	const char *video_queue, *mp3_queue, *failed_queue; /* borrowed */
	int64_t interval_ms; /* between rounds when nobody pokes (1 s) */
	/* A publish that took longer leaves its mark to a later round: the caller may have no time
	 * for another server that is slow. 0 = no limit. */
	int64_t patience_ms;
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

/* One round, for tests and the thread: frees leases, publishes up to a batch of each kind. Returns
 * the first error after trying both kinds; *ret_published counts. */
int relay_round(const struct relay_config *config, int *ret_published, struct err *e);
/* Publishes one job's message and marks it: what an upload does at once, before the relay would. */
int relay_publish(const struct relay_config *config, const struct job *job,
		  enum job_publication which, struct err *e);
/* For a queue that is found missing (arg: a struct relay_config; its publisher is not used): what
 * was published on it and is not yet taken is due again. Other queues mean nothing here. */
int relay_queue_missing(void *arg, const char *queue, struct err *e);

#endif
