/* Two tracks of one channel each that are one recording, read side by side into one sound: the
 * first is left, the second right; half of each is in both where one channel is wanted. Each keeps
 * the film's time by its own timeline and ends where its own index says; behind the shorter one is
 * silence.
 *
 * Bounded: a side that is ahead is not read on, so a side holds PAIR_HELD_MAX samples at most.
 * Threads: one. */
#ifndef TONEARM_WORKER_PAIR_H
#define TONEARM_WORKER_PAIR_H

#include <stdbool.h>

#include "base/scope.h"
#include "model/warning.h"
#include "worker/sound/resample.h"
#include "worker/source/source.h"

#define PAIR_HELD_MAX (64 * 1024)

struct pair;

/* Both sources are borrowed until pair_close; sink takes both channels. */
enum worker_failure pair_open(struct source *left, struct source *right,
			      const struct media_spec *spec, resample_sink sink, void *arg,
			      struct pair **ret, struct err *e);
/* Reads on a little, or *ret_end. */
enum worker_failure pair_step(struct pair *p, bool *ret_end, struct err *e);
/* Samples of the result that the tracks' indexes let through; -1 = nothing that binds. */
int64_t pair_limit(const struct pair *p);
/* After the end: a failure where neither side had anything to be heard, else what is to be said of
 * both, once. */
enum worker_failure pair_verdict(struct pair *p, struct warnings *ret, struct err *e);
void pair_close(struct pair *p);
SCOPE_DEFINE(struct pair, pair_close)

#endif
