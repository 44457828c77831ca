/* What `converter jobs delete` does to one job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "converter/removal.h"
#include "service/janitor_world.h"

static int
erase(struct world *w, const struct blob_id *video, struct err *e)
{
	const struct removal removal = { w->config.videos, w->config.mp3s, w->ledger };

	return removal_run(&removal, video, e);
}

static void
a_done_job_loses_both_files_and_is_expired(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = done(w, "u", "u"), other = done(w, "u", "u");

	(void)state;
	assert_int_equal(erase(w, &job.video_fid, NULL), 0);
	assert_false(has(w->videos, &job.video_fid));
	assert_false(has(w->mp3s, &job.mp3_fid));
	assert_int_equal(job_of(w, &job.video_fid).state, JOB_EXPIRED);
	assert_true(has(w->videos, &other.video_fid));
	assert_true(has(w->mp3s, &other.mp3_fid));
	assert_int_equal(erase(w, &job.video_fid, NULL), 0);
	/* nothing is left for the janitor */
	w->config.retention_video_ms = w->config.retention_audio_ms = 1;
	w->ahead_ms = HOUR_MS;
	assert_int_equal(run(w), 2);
	assert_int_equal(job_of(w, &other.video_fid).state, JOB_EXPIRED);
}

static void
a_failed_job_loses_its_video_and_is_never_retried(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w);
	struct job job = leased(w, &video);
	int64_t requeued = 7;

	(void)state;
	store(w->videos, &video, "u");
	assert_int_equal(job_fail(&w->jobs->life, &job.lease,
				  &(struct job_error){ "no_audio", "no sound" }, NULL),
			 0);
	assert_int_equal(erase(w, &video, NULL), 0);
	assert_false(has(w->videos, &video));
	assert_int_equal(job_requeue_failed(&w->jobs->desk, &video, NULL, &requeued, NULL), 0);
	assert_int_equal(requeued, 0);
	assert_int_equal(job_of(w, &video).state, JOB_FAILED);
}

static void
what_has_not_ended_stays(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w), none = blob_id_new();
	struct err e = ERR_NONE;
	struct job job;

	(void)state;
	store(w->videos, &video, "u");
	assert_int_equal(erase(w, &video, &e), ERR_CONFLICT);
	job = leased(w, &video);
	assert_int_equal(erase(w, &video, &e), ERR_CONFLICT);
	assert_non_null(strstr(e.text, "is leased: only what has ended is deleted"));
	assert_int_equal(job_hand_back(&w->jobs->life, &job.lease, NULL, NULL), 0);
	assert_int_equal(erase(w, &video, &e), ERR_CONFLICT);
	assert_true(has(w->videos, &video));
	assert_int_equal(erase(w, &none, &e), ERR_NOT_FOUND);
}

static int
lost_at(struct world *w, int call, enum fault_moment moment, const struct blob_id *video)
{
	int r;

	w->faults.first = w->faults.last = call;
	w->faults.moment = moment;
	w->faults.code = ERR_UNAVAILABLE;
	atomic_store(&w->faults.calls, 0);
	r = erase(w, video, NULL);
	w->faults.first = w->faults.last = 0;
	return r;
}

/* Whichever call is lost, before its work or with its answer: doing it again ends it. */
static void
a_removal_that_was_interrupted_is_finished_by_the_next(void **state)
{
	int lost = 0;

	(void)state;
	for (int n = 0; n < 2 * 7; n++) { /* get; mark, remove, settle of each file */
		SCOPED(world_free_p) struct world *w = world_new();
		struct job job = done(w, "u", "u");

		lost += lost_at(w, n / 2 + 1, n % 2 ? FAULT_AFTER : FAULT_BEFORE, &job.video_fid) <
			0;
		assert_int_equal(erase(w, &job.video_fid, NULL), 0);
		assert_false(has(w->videos, &job.video_fid));
		assert_false(has(w->mp3s, &job.mp3_fid));
		assert_int_equal(job_of(w, &job.video_fid).state, JOB_EXPIRED);
	}
	assert_int_equal(lost, 14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_done_job_loses_both_files_and_is_expired),
		cmocka_unit_test(a_failed_job_loses_its_video_and_is_never_retried),
		cmocka_unit_test(what_has_not_ended_stays),
		cmocka_unit_test(a_removal_that_was_interrupted_is_finished_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
