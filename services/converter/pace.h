/* How fast a conversion goes and when it will be over. */
#ifndef TONEARM_CONVERTER_PACE_H
#define TONEARM_CONVERTER_PACE_H

#include <stdint.h>

#include "model/job.h"
#include "port/encoder.h"

/* Times are of the monotonic clock. */
struct pace {
	int64_t start_ms; /* of the work */
	int64_t first_ms; /* of the first news; 0 = there were none */
	double first;     /* how far it was then */
};

/* speed is the average of all of the work. What remains is told by how far it came since the first
 * news, since what goes before them (a file is opened, its tracks are tried) says nothing of the
 * rest; and only once that is 2 % of the work and took 2 s. */
struct job_progress pace_of(struct pace *p, const struct encode_progress *news, int64_t now_ms);

#endif
