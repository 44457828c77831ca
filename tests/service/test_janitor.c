#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "service/janitor_world.h"

static void
a_dead_upload_goes_with_its_chunks_and_its_job(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w), bare = uploading(w);
	struct job job;

	(void)state;
	blob_fake_orphan(w->videos, &video, 7, now(w));
	assert_int_equal(run(w), 0);
	w->ahead_ms = GRACE_MS + 1000;
	assert_int_equal(run(w), 2);
	assert_int_equal(w->report.kinds[JANITOR_UPLOADS].chunks, 7);
	assert_false(has_chunks(w->videos, &video));
	assert_int_equal(job_get(&w->jobs->life, &video, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_get(&w->jobs->life, &bare, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(run(w), 0);
}

static void
an_upload_of_many_days_lives_while_chunks_come(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w);

	(void)state;
	w->ahead_ms = 9 * GRACE_MS;
	blob_fake_orphan(w->videos, &video, 7, now(w) - GRACE_MS + 5000);
	assert_int_equal(run(w), 0);
	assert_int_equal(w->report.in_use, 1);
	assert_true(has_chunks(w->videos, &video));
	assert_int_equal(job_of(w, &video).state, JOB_UPLOADING);
}

static void
a_video_that_was_stored_but_never_acknowledged_goes(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w);

	(void)state;
	store(w->videos, &video, "u");
	w->ahead_ms = GRACE_MS + 5000;
	assert_int_equal(run(w), 1);
	assert_int_equal(w->report.kinds[JANITOR_UPLOADS].bytes, 5);
	assert_false(has(w->videos, &video));
}

static void
what_a_dead_attempt_wrote_goes_and_the_present_one_goes_on(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w);
	struct job first = leased(w, &video), second;
	int64_t freed = 0;

	(void)state;
	blob_fake_orphan(w->mp3s, &first.lease.output, 3, now(w));
	w->ahead_ms = 2 * GRACE_MS;
	assert_int_equal(job_free_expired(&w->jobs->outbox, &freed, NULL), 0);
	assert_int_equal(job_lease_one(&w->jobs->life, &(struct job_lease_terms){ "o", 60000 },
				       &video, &second, NULL),
			 0);
	blob_fake_orphan(w->mp3s, &second.lease.output, 2, now(w));
	w->ahead_ms = 4 * GRACE_MS;
	assert_int_equal(run(w), 0); /* an attempt may be at work */
	assert_int_equal(
		job_finish(&w->jobs->life, &second.lease,
			   &(struct job_result){ .mp3_fid = second.lease.output, .duration_s = 1 },
			   NULL),
		0);
	w->ahead_ms = 6 * GRACE_MS;
	assert_int_equal(run(w), 1);
	assert_int_equal(w->report.kinds[JANITOR_OUTPUTS].chunks, 3);
	assert_false(has_chunks(w->mp3s, &first.lease.output));
	assert_true(has_chunks(w->mp3s, &second.lease.output)); /* the job's own id */
	assert_int_equal(run(w), 0);
}

/* As a converter leaves it that lost its lease in the moment of its commit. */
static void
an_output_that_was_too_late_goes_once_the_job_is_done(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id video = uploading(w);
	struct job first = leased(w, &video), second;

	(void)state;
	store(w->mp3s, &first.lease.output, "u");
	assert_int_equal(job_hand_back(&w->jobs->life, &first.lease, NULL, NULL), 0);
	w->ahead_ms = 2 * GRACE_MS;
	assert_int_equal(run(w), 0); /* the next attempt adopts it */
	assert_true(has(w->mp3s, &first.lease.output));
	assert_int_equal(job_is_registered(&w->jobs->leftover, &first.lease.output, NULL), 0);
	assert_int_equal(job_lease_one(&w->jobs->life, &(struct job_lease_terms){ "o", 60000 },
				       &video, &second, NULL),
			 0);
	store(w->mp3s, &second.lease.output, "u");
	assert_int_equal(job_finish(&w->jobs->life, &second.lease,
				    &(struct job_result){ .mp3_fid = second.lease.output }, NULL),
			 0);
	w->ahead_ms = 4 * GRACE_MS;
	assert_int_equal(run(w), 1);
	assert_int_equal(w->report.kinds[JANITOR_OUTPUTS].bytes, 5);
	assert_false(has(w->mp3s, &first.lease.output));
	assert_true(has(w->mp3s, &second.lease.output));
	assert_int_equal(run(w), 0);
}

static void
blobs_stay_for_ever_unless_a_retention_is_set(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = done(w, "u", "u");

	(void)state;
	w->ahead_ms = 1000 * GRACE_MS;
	assert_int_equal(run(w), 0);
	assert_true(has(w->videos, &job.video_fid) && has(w->mp3s, &job.mp3_fid));
	assert_int_equal(job_of(w, &job.video_fid).state, JOB_DONE);
}

static void
expired_blobs_of_ours_go_and_those_of_msgq_stay(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job ours = done(w, "u", "u"), theirs = done(w, "", ""), waits;
	struct blob_id lone = blob_id_new();

	(void)state;
	store(w->mp3s, &lone, "");
	w->config.retention_video_ms = HOUR_MS;
	w->config.retention_audio_ms = 3 * HOUR_MS;
	assert_int_equal(run(w), 0);
	w->ahead_ms = 2 * HOUR_MS;
	waits.video_fid = uploading(w);
	store(w->videos, &waits.video_fid, "u");
	waits = leased(w, &waits.video_fid);
	assert_int_equal(run(w), 1);
	assert_false(has(w->videos, &ours.video_fid));
	assert_int_equal(job_of(w, &ours.video_fid).state, JOB_DONE);
	w->ahead_ms = 4 * HOUR_MS;
	assert_int_equal(run(w), 1);
	assert_false(has(w->mp3s, &ours.mp3_fid));
	assert_int_equal(job_of(w, &ours.video_fid).state, JOB_EXPIRED);
	assert_true(has(w->videos, &theirs.video_fid) && has(w->mp3s, &theirs.mp3_fid));
	assert_int_equal(job_of(w, &theirs.video_fid).state, JOB_DONE);
	assert_true(has(w->mp3s, &lone) && has(w->videos, &waits.video_fid));
	assert_int_equal(run(w), 0);
	assert_int_equal(w->report.foreign, 0); /* settled: not looked at again */
}

static void
foreign_chunks_go_only_when_asked_and_only_when_old(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id old = blob_id_new(), fresh = blob_id_new(), ours = uploading(w);
	struct blob_id whole = blob_id_new();

	(void)state;
	w->ahead_ms = 23 * HOUR_MS;
	blob_fake_orphan(w->videos, &old, 4, now(w) - JANITOR_FOREIGN_MS - 5000);
	blob_fake_orphan(w->mp3s, &fresh, 4, now(w) - JANITOR_FOREIGN_MS + 5000);
	blob_fake_orphan(w->videos, &ours, 4, now(w) - JANITOR_FOREIGN_MS - 5000);
	store(w->videos, &whole, "");
	assert_int_equal(run(w), 0);
	w->config.foreign = true;
	assert_int_equal(run(w), 1);
	assert_int_equal(w->report.kinds[JANITOR_FOREIGN].chunks, 4);
	assert_int_equal(w->report.in_use, 1);
	assert_false(has_chunks(w->videos, &old));
	assert_true(has_chunks(w->mp3s, &fresh) && has_chunks(w->videos, &ours));
	assert_true(has(w->videos, &whole));
}

/* One leftover of each kind, all past their time. */
static void
litter(struct world *w)
{
	struct blob_id video = uploading(w), foreign = blob_id_new(), tried = uploading(w);
	struct job job = leased(w, &tried);

	blob_fake_orphan(w->videos, &video, 7, now(w));
	blob_fake_orphan(w->mp3s, &job.lease.output, 3, now(w));
	blob_fake_orphan(w->mp3s, &foreign, 2, now(w));
	assert_int_equal(job_hand_back(&w->jobs->life, &job.lease, NULL, NULL), 0);
	(void)done(w, "u", "u");
	w->config.retention_video_ms = w->config.retention_audio_ms = HOUR_MS;
	w->config.foreign = true;
	w->ahead_ms = 3 * GRACE_MS;
}

static void
a_dry_run_counts_the_same_and_changes_nothing(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();

	(void)state;
	litter(w);
	w->config.dry_run = true;
	assert_int_equal(run(w), 5);
	assert_int_equal(run(w), 5);
	w->config.dry_run = false;
	assert_int_equal(run(w), 5);
	assert_int_equal(run(w), 0);
}

/* Whatever the last run did: the next one leaves nothing that should go, and takes nothing else. */
static void
check_next(struct world *w)
{
	struct blob_id id = { "" };
	struct job_counts counts;

	(void)run(w);
	assert_int_equal(run(w), 0);
	assert_int_equal(blob_next_id(w->videos, &id, &id, NULL), ERR_NOT_FOUND);
	assert_int_equal(blob_next_id(w->mp3s, &id, &id, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_count(&w->jobs->desk, &counts, NULL), 0);
	assert_int_equal(counts.by_state[JOB_UPLOADING], 0);
	assert_int_equal(counts.by_state[JOB_EXPIRED], 1);
	assert_int_equal(counts.by_state[JOB_QUEUED], 1);
}

static void
a_run_that_ends_anywhere_is_taken_up_by_the_next(void **state)
{
	static const struct faults kinds[] = {
		{ .last = 1, .code = ERR_UNAVAILABLE, .moment = FAULT_BEFORE },
		{ .last = 1, .code = ERR_TIMEOUT, .moment = FAULT_AFTER },
		{ .last = 1, .code = ERR_NO_MEMORY, .moment = FAULT_BEFORE },
		{ .last = 2, .code = ERR_UNAVAILABLE, .moment = FAULT_BEFORE },
		{ .last = 2, .code = ERR_TIMEOUT, .moment = FAULT_AFTER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int n = 0, calls;

		do {
			SCOPED(world_free_p) struct world *w = world_new();
			int r;

			assert_in_range(++n, 1, CALLS_MAX);
			litter(w);
			w->faults = kinds[i];
			w->faults.first = n;
			w->faults.last += n - 1;
			r = janitor_run(&w->config, &w->report, NULL);
			calls = atomic_load(&w->faults.calls);
			/* without an answer nobody says that all went well */
			assert_int_equal(r, calls >= n ? kinds[i].code : 0);
			w->faults = (struct faults){ 0 };
			check_next(w);
		} while (calls >= n);
		assert_in_range(calls, 20, CALLS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_upload_goes_with_its_chunks_and_its_job),
		cmocka_unit_test(an_upload_of_many_days_lives_while_chunks_come),
		cmocka_unit_test(a_video_that_was_stored_but_never_acknowledged_goes),
		cmocka_unit_test(what_a_dead_attempt_wrote_goes_and_the_present_one_goes_on),
		cmocka_unit_test(an_output_that_was_too_late_goes_once_the_job_is_done),
		cmocka_unit_test(blobs_stay_for_ever_unless_a_retention_is_set),
		cmocka_unit_test(expired_blobs_of_ours_go_and_those_of_msgq_stay),
		cmocka_unit_test(foreign_chunks_go_only_when_asked_and_only_when_old),
		cmocka_unit_test(a_dry_run_counts_the_same_and_changes_nothing),
		cmocka_unit_test(a_run_that_ends_anywhere_is_taken_up_by_the_next),
	};

	return cmocka_run_group_tests_name("janitor", tests, NULL, NULL);
}
