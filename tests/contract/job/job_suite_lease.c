#include "contract/job/job_suite_private.h"

#include <math.h>

static const struct job_error why = { "no_audio", "the video has no sound" };

JOB_TEST(a_lease_counts_an_attempt_and_hides_the_job)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l), other = { .attempts = 42 }, got = get(l, &video);

	assert_int_equal(job.state, JOB_LEASED);
	assert_int_equal(job.attempts, 1);
	assert_string_equal(job.lease.video_fid.hex, video.hex);
	assert_string_equal(job.lease.owner, "converter-1");
	assert_int_equal(strlen(job.lease.token), LEASE_TOKEN_DIGITS);
	assert_int_equal(job.lease.until_ms, job.updated_ms + LEASE_MS);
	assert_string_equal(got.lease.token, job.lease.token);
	assert_int_equal(lease_fairest(l, "o", &other), ERR_NOT_FOUND);
	assert_int_equal(other.attempts, 42);
}

JOB_TEST(with_only_no_other_job_is_leased)
{
	struct blob_id first = queued(l, "u"), second = queued(l, "u");
	struct job job;

	assert_int_equal(lease_one(l, &second, &job), 0);
	assert_string_equal(job.video_fid.hex, second.hex);
	assert_int_equal(lease_one(l, &second, &job), ERR_NOT_FOUND);
	assert_int_equal(get(l, &first).state, JOB_QUEUED);
}

JOB_TEST(a_finished_job_has_its_output_and_a_repeat_is_welcome)
{
	struct blob_id video = queued(l, "u"), mp3 = blob_id_new(), other = blob_id_new();
	struct job job = lease(l), got;

	assert_int_equal(job_finish(&l->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3, .duration_s = 61.5 },
				    NULL),
			 0);
	assert_int_equal(job_finish(&l->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3, .duration_s = 61.5 },
				    NULL),
			 0);
	assert_int_equal(job_finish(&l->life, &job.lease,
				    &(struct job_result){ .mp3_fid = other, .duration_s = 61.5 },
				    NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), ERR_CONFLICT);
	assert_int_equal(job_renew(&l->life, &job.lease, LEASE_MS,
				   &(struct job_progress){ .fraction = 0 }, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_find_by_mp3(&l->desk, &mp3, &got, NULL), 0);
	assert_string_equal(got.video_fid.hex, video.hex);
	assert_int_equal(got.state, JOB_DONE);
	assert_string_equal(got.mp3_fid.hex, mp3.hex);
	assert_true(got.progress.fraction >= 1 && got.source.duration_s > 61);
	assert_string_equal(got.lease.token, "");
}

JOB_TEST(a_finished_job_has_the_loudness_that_was_measured)
{
	static const struct job_loudness given[] = {
		{ true, true, true, -14.5, 6.25, -0.5 },
		{ false, false, true, 0, 0, -80 },
		{ 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		struct blob_id video = queued(l, "u");
		struct job_result result = { .mp3_fid = blob_id_new(),
					     .duration_s = 1,
					     .loudness = given[i],
					     .bytes = 100 };
		struct job job = lease(l), got;

		assert_false(job.loudness.has_true_peak);
		assert_int_equal(job_finish(&l->life, &job.lease, &result, NULL), 0);
		got = get(l, &video);
		assert_int_equal(got.loudness.has_integrated, given[i].has_integrated);
		assert_int_equal(got.loudness.has_range, given[i].has_range);
		assert_int_equal(got.loudness.has_true_peak, given[i].has_true_peak);
		assert_true(fabs(got.loudness.integrated_lufs - given[i].integrated_lufs) < 1e-9);
		assert_true(fabs(got.loudness.range_lu - given[i].range_lu) < 1e-9);
		assert_true(fabs(got.loudness.true_peak_dbtp - given[i].true_peak_dbtp) < 1e-9);
	}
}

JOB_TEST(a_failed_job_keeps_its_reason_and_a_repeat_is_welcome)
{
	struct blob_id video = queued(l, "u"), mp3 = blob_id_new();
	struct job job = lease(l), got;

	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), 0);
	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), 0);
	assert_int_equal(
		job_finish(&l->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL),
		ERR_CONFLICT);
	got = get(l, &video);
	assert_int_equal(got.state, JOB_FAILED);
	assert_string_equal(got.error.code, "no_audio");
	assert_string_equal(got.error.message, "the video has no sound");
	assert_true(blob_id_is_none(&got.mp3_fid));
}

JOB_TEST(a_finished_job_has_what_was_found_in_its_source)
{
	struct job_result result = {
		.mp3_fid = blob_id_new(),
		.tracks = { 2,
			    { { .codec = "aac", .language = "deu", .channels = 6, .taken = true },
			      { .codec = "mp3", .title = "$a \xc3\xab", .is_default = true } } },
	};
	struct blob_id video = queued(l, "u");
	struct job job = lease(l), got;

	warnings_add(&result.warnings, &(struct warning){ WARNING_TRUNCATED, -1, 0, 1 });
	warnings_add(&result.warnings,
		     &(struct warning){ WARNING_GAP_FILLED, 1500, INT64_C(1) << 40, UINT32_MAX });
	assert_int_equal(job.warnings.count, 0);
	assert_int_equal(job_finish(&l->life, &job.lease, &result, NULL), 0);
	assert_int_equal(job_finish(&l->life, &job.lease, &result, NULL), 0);
	got = get(l, &video);
	assert_int_equal(got.warnings.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct warning *a = &got.warnings.list[i], *b = &result.warnings.list[i];

		assert_int_equal(a->code, b->code);
		assert_int_equal(a->at_ms, b->at_ms);
		assert_int_equal(a->ms, b->ms);
		assert_int_equal(a->events, b->events);
	}
	assert_int_equal(got.tracks.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct track *a = &got.tracks.list[i], *b = &result.tracks.list[i];

		assert_string_equal(a->codec, b->codec);
		assert_string_equal(a->language, b->language);
		assert_string_equal(a->title, b->title);
		assert_int_equal(a->channels, b->channels);
		assert_int_equal(a->is_default, b->is_default);
		assert_int_equal(a->taken, b->taken);
	}
}

JOB_TEST(a_retried_job_waits_out_its_delay)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);

	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_VIDEO, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_retry(&l->life, &job.lease, &why, 30000, NULL), 0);
	assert_int_equal(job_retry(&l->life, &job.lease, &why, 30000, NULL), 0);
	assert_int_equal(lease_fairest(l, "o", &job), ERR_NOT_FOUND);
	assert_int_equal(lease_one(l, &video, &job), ERR_NOT_FOUND);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 0);
	advance(30000);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 1);
	job = lease(l);
	assert_string_equal(job.video_fid.hex, video.hex);
	assert_int_equal(job.attempts, 2);
	assert_string_equal(job.error.code, "no_audio");
}

JOB_TEST(a_job_given_back_has_not_used_an_attempt)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);

	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	assert_int_equal(get(l, &video).attempts, 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 1);
	assert_string_equal(get(l, &video).error.code, "");
	assert_int_equal(lease(l).attempts, 1);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), ERR_CONFLICT);
}

JOB_TEST(a_job_given_back_says_why_where_there_is_something_to_say)
{
	const struct job_error stop = { "stopped", "\xff stopped" };
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);

	assert_int_equal(job_hand_back(&l->life, &job.lease, &stop, NULL), 0);
	assert_string_equal(get(l, &video).error.code, "stopped");
	assert_string_equal(get(l, &video).error.message, "? stopped");
	job = lease(l);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	assert_string_equal(get(l, &video).error.code, "stopped");
	assert_int_equal(get(l, &video).attempts, 0);
}

JOB_TEST(a_renewed_lease_outlives_its_first_term)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l), got;
	int64_t freed = 42;

	advance(LEASE_MS - 10000);
	assert_int_equal(job_renew(&l->life, &job.lease, LEASE_MS,
				   &(struct job_progress){ 0.25, 31.5, 7.5 }, NULL),
			 0);
	advance(20000);
	assert_int_equal(job_free_expired(&l->outbox, &freed, NULL), 0);
	assert_int_equal(freed, 0);
	got = get(l, &video);
	assert_int_equal(got.state, JOB_LEASED);
	assert_true(got.progress.fraction > 0.24 && got.progress.fraction < 0.26);
	assert_true(got.progress.speed > 31.4 && got.progress.speed < 31.6);
	assert_true(got.progress.remaining_s > 7.4 && got.progress.remaining_s < 7.6);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
}

JOB_TEST(progress_is_the_leases_and_holds_numbers_only)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l), got;

	assert_int_equal(job_renew(&l->life, &job.lease, LEASE_MS,
				   &(struct job_progress){ 7, (double)NAN, -1 }, NULL),
			 0);
	got = get(l, &video);
	assert_true(got.progress.fraction >= 1 && got.progress.fraction <= 1);
	assert_false(got.progress.speed != 0 || got.progress.remaining_s != 0);
	assert_int_equal(job_renew(&l->life, &job.lease, LEASE_MS,
				   &(struct job_progress){ 0.5, 2, 3 }, NULL),
			 0);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	got = get(l, &video);
	assert_false(got.progress.fraction != 0 || got.progress.speed != 0);
	job = lease(l);
	got = get(l, &video);
	assert_false(got.progress.speed != 0 || got.progress.remaining_s != 0);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
}

JOB_TEST(an_expired_lease_is_freed_and_can_do_nothing_more)
{
	struct blob_id old = queued(l, "u"), mp3 = blob_id_new();
	struct job expired = lease(l), running, got;
	int64_t freed = 0;

	advance(LEASE_MS - 10000);
	queued(l, "u");
	running = lease(l);
	advance(20000);
	assert_int_equal(job_free_expired(&l->outbox, &freed, NULL), 0);
	assert_int_equal(freed, 1);
	got = get(l, &old);
	assert_int_equal(got.state, JOB_QUEUED);
	assert_int_equal(got.attempts, 1);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 1);
	assert_int_equal(job_renew(&l->life, &expired.lease, LEASE_MS,
				   &(struct job_progress){ .fraction = 0 }, NULL),
			 ERR_CONFLICT);
	assert_int_equal(
		job_finish(&l->life, &expired.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL),
		ERR_CONFLICT);
	assert_int_equal(job_retry(&l->life, &expired.lease, &why, 0, NULL), ERR_CONFLICT);
	assert_int_equal(job_hand_back(&l->life, &expired.lease, NULL, NULL), ERR_CONFLICT);
	assert_int_equal(lease(l).attempts, 2);
	assert_int_equal(
		job_finish(&l->life, &expired.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL),
		ERR_CONFLICT);
	assert_int_equal(
		job_finish(&l->life, &running.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL),
		0);
}

JOB_TEST(a_strangers_token_changes_nothing)
{
	struct blob_id video = queued(l, "u"), mp3 = blob_id_new();
	struct job job = lease(l);
	struct job_lease other = stranger(&job.lease), empty = job.lease;
	struct err e = ERR_NONE;

	empty.token[0] = '\0';
	assert_int_equal(job_renew(&l->life, &other, LEASE_MS,
				   &(struct job_progress){ .fraction = 0.5 }, &e),
			 ERR_CONFLICT);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(job_finish(&l->life, &other, &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_fail(&l->life, &other, &why, NULL), ERR_CONFLICT);
	assert_int_equal(job_retry(&l->life, &other, &why, 0, NULL), ERR_CONFLICT);
	assert_int_equal(job_hand_back(&l->life, &empty, NULL, NULL), ERR_CONFLICT);
	assert_int_equal(get(l, &video).updated_ms, job.updated_ms);
	assert_int_equal(get(l, &video).state, JOB_LEASED);
}

static struct job
held_by(struct ledger *s, const struct blob_id *video, const char *owner)
{
	struct job job;

	assert_int_equal(job_lease_one(&s->life, &(struct job_lease_terms){ owner, LEASE_MS },
				       video, &job, NULL),
			 0);
	return job;
}

JOB_TEST(each_attempt_that_ended_is_remembered_the_last_sixteen)
{
	static const struct job_error slow = { "timeout", "too slow" };
	struct blob_id video = queued(l, "u"), none = blob_id_new(), mp3 = blob_id_new();
	struct job_attempt list[JOB_HISTORY_MAX] = { 0 };
	struct job job = held_by(l, &video, "pod-a/1/0a");
	size_t count = 7;
	int64_t n = 0;

	assert_int_equal(job_history(&l->desk, &video, list, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(job_history(&l->desk, &none, list, &count, NULL), ERR_NOT_FOUND);
	advance(2000);
	assert_int_equal(job_retry(&l->life, &job.lease, &slow, 0, NULL), 0);
	/* a repeat whose first answer was lost is one end */
	assert_int_equal(job_retry(&l->life, &job.lease, &slow, 0, NULL), 0);
	job = held_by(l, &video, "pod-b/1/0b");
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	(void)held_by(l, &video, "pod-c/1/0c");
	advance(LEASE_MS + 10000);
	assert_int_equal(job_free_expired(&l->outbox, &n, NULL), 0);
	job = held_by(l, &video, "pod-d/1/$d");
	advance(1000);
	assert_int_equal(
		job_finish(&l->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	assert_int_equal(job_history(&l->desk, &video, list, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_string_equal(list[0].owner, "pod-a/1/0a");
	assert_int_equal(list[0].end, JOB_END_RETRIED);
	assert_string_equal(list[0].error, "timeout");
	assert_in_range(list[0].ended_ms - list[0].began_ms, 1900, 10000);
	assert_int_equal(list[1].end, JOB_END_HANDED_BACK);
	assert_string_equal(list[1].error, "");
	assert_int_equal(list[2].end, JOB_END_LOST);
	assert_string_equal(list[2].owner, "pod-c/1/0c");
	assert_int_equal(list[3].end, JOB_END_DONE);
	assert_string_equal(list[3].owner, "pod-d/1/$d");
	assert_true(list[3].began_ms >= list[2].ended_ms);
	video = queued(l, "u");
	for (int i = 0; i < JOB_HISTORY_MAX + 2; i++) {
		job = held_by(l, &video, i < 2 ? "first" : "last");
		assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	}
	assert_int_equal(job_history(&l->desk, &video, list, &count, NULL), 0);
	assert_int_equal(count, JOB_HISTORY_MAX);
	assert_string_equal(list[0].owner, "last");
}
