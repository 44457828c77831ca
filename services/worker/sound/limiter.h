/* A look-ahead limiter: where sound passes full scale (1.0), as the sum of many channels or a float
 * file may, its level is taken back around that place, so that no true peak is above
 * the ceiling. Everything else passes as it is, to the bit. Both channels are taken back alike.
 *
 * Gain       is a line from hop to hop: down within LIMITER_AHEAD hops (6 ms), up again by a share of
 *            what is missing in each hop (100 ms to two thirds).
 * Result     does not depend on how the samples are cut into pieces.
 * Memory     fixed. Threads: one. */
#ifndef TONEARM_WORKER_SOUND_LIMITER_H
#define TONEARM_WORKER_SOUND_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/scope.h"
#include "model/media_spec.h"
#include "model/warning.h"
#include "worker/failure.h"

/* True peaks: -1 dBTP; for a lossy format less what its noise adds to them (2 dB were measured of
 * white noise at 128 kbit/s, 0.7 dB of it from the low-pass), so that what is decoded does not clip. */
#define LIMITER_CEILING 0.8913F
#define LIMITER_CEILING_LOSSY 0.75F
#define LIMITER_HOP 64       /* samples */
#define LIMITER_AHEAD 4      /* hops */
#define LIMITER_PUT_MAX 8192 /* samples of one limiter_put */

struct limiter;
/* Takes what has passed; a failure ends the work. */
typedef enum worker_failure (*limiter_sink)(void *arg, float *const planes[MEDIA_CHANNELS_MAX],
					    size_t count, struct err *e);

/* warnings: where each place that was taken back is noted; borrowed. */
enum worker_failure limiter_open(const struct media_spec *spec, struct warnings *warnings,
				 limiter_sink sink, void *arg, struct limiter **ret, struct err *e);
enum worker_failure limiter_put(struct limiter *l, float *const planes[MEDIA_CHANNELS_MAX],
				size_t count, struct err *e);
/* Hands over what is still held. */
enum worker_failure limiter_finish(struct limiter *l, struct err *e);
void limiter_close(struct limiter *l);
SCOPE_DEFINE(struct limiter, limiter_close)

#endif
