/* Loudness by ITU-R BS.1770-4 and EBU Tech 3342: integrated loudness, range and true peak of the
 * samples that pass. Bounded memory for any length. Threads: one.
 *
 * Why not libebur128: it takes 8 % of the processor time of an encode for loudness and range, and
 * 25 % with the true peak; this takes 2 to 3. Tests hold the two against each other. */
#ifndef TONEARM_WORKER_SOUND_METER_H
#define TONEARM_WORKER_SOUND_METER_H

#include <stddef.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/job.h"

struct meter;

int meter_open(int sample_rate, int channels, struct meter **ret, struct err *e);
/* Full scale is 1.0; the right plane is ignored for one channel. */
void meter_add(struct meter *m, float *const planes[2], size_t count);
struct job_loudness meter_result(const struct meter *m);
void meter_close(struct meter *m);
SCOPE_DEFINE(struct meter, meter_close)

#endif
