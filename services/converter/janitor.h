/* The janitor: removes what dead writers have left and what has expired, once. Idempotent; any
 * number may run at once, beside live writers: each job is marked by compare-and-set before its
 * blob goes, and settled after, so that a run that ends anywhere is taken up by the next.
 * Threads: one per run. */
#ifndef TONEARM_CONVERTER_JANITOR_H
#define TONEARM_CONVERTER_JANITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "port/blob_store.h"
#include "port/job_leftover.h"

#define JANITOR_FOREIGN_MS (INT64_C(48) * 3600 * 1000)

struct janitor_config {
	struct blob_store *videos, *mp3s; /* all borrowed */
	struct job_leftover *jobs;
	const struct clock *clock;
	int64_t grace_ms;                               /* silence after which a writer is dead */
	int64_t retention_video_ms, retention_audio_ms; /* 0 = for ever */
	bool foreign; /* also chunks that no job has registered, 48 h after the newest */
	bool dry_run; /* count, change nothing */
};

enum janitor_kind {
	JANITOR_UPLOADS,
	JANITOR_OUTPUTS,
	JANITOR_VIDEOS,
	JANITOR_AUDIOS,
	JANITOR_FOREIGN,
};
#define JANITOR_KINDS 5

struct janitor_report {
	struct {
		int64_t removed; /* or would be */
		int64_t chunks;  /* without a blob */
		int64_t bytes;   /* of blobs */
	} kinds[JANITOR_KINDS];
	int64_t in_use;  /* left alone: too new, or faster than we */
	int64_t foreign; /* expired, but without our metadata: kept for ever */
	int64_t failed;  /* one thing each; the others went on */
};

/* "uploads", "outputs", "videos", "mp3s", "foreign" */
const char *janitor_kind_name(enum janitor_kind kind);
/* 0: all was looked at, and report->failed is 0. Else the first error; a server that is away ends
 * the run. The report is filled in either case. */
int janitor_run(const struct janitor_config *config, struct janitor_report *report, struct err *e);

#endif
