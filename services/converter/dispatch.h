/* Messages in, jobs out: takes a message when a thread is free, leases a job for it, acks, hands
 * the job over. Pauses while a server of ours is away. */
#ifndef TONEARM_CONVERTER_DISPATCH_H
#define TONEARM_CONVERTER_DISPATCH_H

#include "converter/converter.h"

struct intake_config {
	const struct converter
		*converter; /* borrowed, as everything here, until intake_run returns */
	struct consumer *consumer;
	struct stop *stop;
	atomic_bool *cancel; /* set when the drain's time is over */
	int jobs;            /* at once */
	int64_t drain_ms;
	atomic_int *running; /* jobs under way, for metrics */
};
/* Works until the stop is requested and every job under way has ended, or was given back. */
int intake_run(const struct intake_config *config, struct err *e);

/* One message: bury, drop, requeue, or a leased job. */
enum intake_result {
	INTAKE_JOB,         /* *ret_job is leased, the message acked */
	INTAKE_OTHER_JOB,   /* the same, but another job than the message's own was due first */
	INTAKE_NOTHING,     /* the message was dealt with */
	INTAKE_SERVER_LOST, /* it went back to the queue: pause */
};
enum intake_result intake_take(const struct converter *c, struct consumer *consumer,
			       const struct queue_delivery *delivery, struct job *ret_job);
/* A job without a message: JOB, NOTHING or SERVER_LOST. */
enum intake_result intake_take_unasked(const struct converter *c, struct job *ret_job);

#endif
