/* How fast a conversion goes and when it will be over. */
#ifndef TONEARM_CONVERTER_PACE_H
#define TONEARM_CONVERTER_PACE_H

#include <stdint.h>

#include "model/job.h"
#include "port/encoder.h"

/* After ms of work; on the average of all of it. */
struct job_progress pace_of(const struct encode_progress *progress, int64_t ms);

#endif
