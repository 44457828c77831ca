/* What one message permits: a job, leased. A message is a permit for the job that is due, not an
 * assignment of its own one. Threads: the dispatcher's. */
#ifndef TONEARM_CONVERTER_PERMIT_H
#define TONEARM_CONVERTER_PERMIT_H

#include "converter/converter.h"

enum permit {
	PERMIT_JOB,         /* *ret_job is leased, the message acked */
	PERMIT_OTHER_JOB,   /* the same, but another job than the message's own was due first */
	PERMIT_NOTHING,     /* the message was dealt with: put aside, or no job is due */
	PERMIT_SERVER_LOST, /* it went back to the queue: pause */
};
/* Puts aside a message that no code can read. */
enum permit permit_take(const struct converter *c, struct consumer *consumer,
			const struct queue_delivery *delivery, struct job *ret_job);
/* A job without a message: JOB, NOTHING or SERVER_LOST. */
enum permit permit_take_unasked(const struct converter *c, struct job *ret_job);

#endif
