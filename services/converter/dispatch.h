/* Messages in, jobs out: takes a message when a thread is free, has its permit taken, hands the job
 * over to a thread that converts. Pauses while a server of ours is away. */
#ifndef TONEARM_CONVERTER_DISPATCH_H
#define TONEARM_CONVERTER_DISPATCH_H

#include "converter/converter.h"

/* All of it is borrowed until dispatch_run returns. */
struct dispatch_config {
	const struct converter *converter;
	struct consumer *consumer;
	struct stop *stop;
	atomic_bool *hand_back; /* set when the drain's time is over */
	int jobs;               /* at once */
	int64_t drain_ms;
	atomic_int *running; /* jobs under way, for metrics */
};
/* Works until the stop is requested and every job under way has ended, or was handed back. */
int dispatch_run(const struct dispatch_config *config, struct err *e);

#endif
