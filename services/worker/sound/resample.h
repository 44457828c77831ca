/* Frames of any rate, format and layout in; planar float at the result's rate and layout out.
 * Changes in mid-stream are followed. Threads: one. */
#ifndef TONEARM_WORKER_SOUND_RESAMPLE_H
#define TONEARM_WORKER_SOUND_RESAMPLE_H

#include <stddef.h>

#include "base/scope.h"
#include "model/media_spec.h"
#include "worker/failure.h"
#include "worker/source/source.h"

struct resampler;
/* Takes one block of samples; a failure ends the work. */
typedef enum worker_failure (*resample_sink)(void *arg, float *const planes[2], size_t count,
					     struct err *e);

enum worker_failure resampler_open(const struct media_spec *spec, resample_sink sink, void *arg,
				   struct resampler **ret, struct err *e);
/* Its silence, then what is to be used of its frame. */
enum worker_failure resample_sound(struct resampler *r, const struct source_sound *sound,
				   struct err *e);
/* Hands over what the filter still holds. */
enum worker_failure resample_flush(struct resampler *r, struct err *e);
void resampler_close(struct resampler *r);
SCOPE_DEFINE(struct resampler, resampler_close)

#endif
