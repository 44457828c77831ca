/* What the tests of the janitor look at: stores and a ledger, each bare and with faults, and a
 * clock that is set forward. */
#ifndef TONEARM_TEST_JANITOR_WORLD_H
#define TONEARM_TEST_JANITOR_WORLD_H

#include <stdio.h>

#include "converter/janitor.h"
#include "fake/blob/blob_fake.h"
#include "fake/faulty/faulty.h"
#include "fake/job/job_fake.h"

#define HOUR_MS INT64_C(3600000)
#define GRACE_MS (24 * HOUR_MS)
#define CALLS_MAX 200

struct world {
	struct clock clock;
	int64_t ahead_ms; /* of the machine's clock */
	struct faults faults;
	/* what the checks look at: these never fail */
	struct blob_store *videos, *mp3s;
	struct ledger *jobs;
	struct ledger *ledger;        /* jobs, faulty */
	struct janitor_config config; /* its stores are these, faulty */
	struct janitor_report report;
};

static int64_t
world_now(const struct clock *clock)
{
	const void *world = clock; /* its first member */

	return now_unix_ms() + ((const struct world *)world)->ahead_ms;
}

static void
world_free(struct world *w)
{
	ledger_close(w->ledger);
	blob_store_close(w->config.mp3s);
	blob_store_close(w->config.videos);
	free(w);
}
SCOPE_DEFINE(struct world, world_free)

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->clock.unix_ms = world_now;
	assert_int_equal(blob_fake_new(&w->videos, NULL), 0);
	assert_int_equal(blob_fake_new(&w->mp3s, NULL), 0);
	assert_int_equal(job_fake_new(&w->clock, &w->jobs, NULL), 0);
	w->ledger = faulty_ledger(w->jobs, &w->faults);
	w->config = (struct janitor_config){ .videos = faulty_blob_store(w->videos, &w->faults),
					     .mp3s = faulty_blob_store(w->mp3s, &w->faults),
					     .jobs = &w->ledger->leftover,
					     .clock = &w->clock,
					     .grace_ms = GRACE_MS };
	return w;
}

static inline int64_t
now(const struct world *w)
{
	return clock_unix_ms(&w->clock);
}

static int64_t
removed(const struct world *w)
{
	int64_t n = 0;

	for (int i = 0; i < JANITOR_KINDS; i++)
		n += w->report.kinds[i].removed;
	return n;
}

static int64_t
run(struct world *w)
{
	assert_int_equal(janitor_run(&w->config, &w->report, NULL), 0);
	assert_int_equal(w->report.failed, 0);
	return removed(w);
}

static struct blob_id
uploading(struct world *w)
{
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };

	assert_int_equal(job_create(&w->jobs->life, &job, NULL), 0);
	return job.video_fid;
}

static void
store(struct blob_store *s, const struct blob_id *id, const char *owner)
{
	SCOPED(blob_writer_close_p) struct blob_writer *writer = NULL;
	struct blob_meta meta = { 0 };

	(void)snprintf(meta.owner, sizeof meta.owner, "%s", owner);
	assert_int_equal(blob_create(s, id, &meta, &writer, NULL), 0);
	assert_int_equal(blob_write(writer, "bytes", 5, NULL), 0);
	assert_int_equal(blob_commit(writer, NULL), 0);
}

static bool
has(struct blob_store *s, const struct blob_id *id)
{
	SCOPED(blob_reader_close_p) struct blob_reader *reader = NULL;

	return blob_open(s, id, &reader, NULL) == 0;
}

static inline bool
has_chunks(struct blob_store *s, const struct blob_id *id)
{
	struct blob_leftover left;

	return blob_leftover(s, id, &left, NULL) == 0;
}

static struct job
job_of(struct world *w, const struct blob_id *video)
{
	struct job job = { 0 };

	assert_int_equal(job_get(&w->jobs->life, video, &job, NULL), 0);
	return job;
}

static struct job
leased(struct world *w, const struct blob_id *video)
{
	struct job_source source = { 0 };
	struct job job;

	assert_int_equal(job_enqueue(&w->jobs->life, video, &source, NULL, NULL), 0);
	assert_int_equal(job_lease_one(&w->jobs->life, &(struct job_lease_terms){ "o", 60000 },
				       video, &job, NULL),
			 0);
	return job;
}

/* A job that has ended well, with both blobs, its result published. */
static struct job
done(struct world *w, const char *video_owner, const char *mp3_owner)
{
	struct blob_id video = uploading(w);
	struct job job = leased(w, &video);

	store(w->videos, &video, video_owner);
	store(w->mp3s, &job.lease.output, mp3_owner);
	assert_int_equal(
		job_finish(&w->jobs->life, &job.lease,
			   &(struct job_result){ .mp3_fid = job.lease.output, .duration_s = 1 },
			   NULL),
		0);
	job = job_of(w, &video);
	assert_int_equal(job_mark_published(&w->jobs->outbox, &job, JOB_PUBLISH_RESULT, NULL), 0);
	return job_of(w, &video);
}

#endif
