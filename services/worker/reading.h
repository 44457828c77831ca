/* One reading of a whole sound track: source -> resampler -> meter -> writer; or of two of one channel
 * each, which are its left and its right.
 * Threads: one. */
#ifndef TONEARM_WORKER_READING_H
#define TONEARM_WORKER_READING_H

#include "worker/sound/meter.h"
#include "worker/source/source.h"
#include "worker/writer/writer.h"

struct reading {
	/* set before */
	const struct worker_start *start;
	int fd;                /* where progress is told */
	struct writer *writer; /* borrowed; NULL: the track is only listened to */
	struct source *right;  /* borrowed; NULL: the one track has all channels */
	/* what it came to */
	int64_t decoded;     /* samples per channel at the result's rate */
	int64_t kept;        /* of those, the ones in front of the track's declared end */
	struct meter *meter; /* of what was kept; owned */
	struct warnings warnings;
	/* while it runs */
	struct limiter *limiter;
	int64_t limit; /* samples that the track's edit list lets through; -1 = all */
	int64_t next_progress_ms;
};

/* Once. */
enum worker_failure reading_run(struct reading *r, struct source *source, struct err *e);
/* Frees what r holds and forgets what it came to. */
void reading_clear(struct reading *r);

#endif
