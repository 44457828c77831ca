#include "contract/job/job_suite_private.h"

#include <math.h>
#include <pthread.h>

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
	assert_int_equal(job_lease_next(&l->life, "o", LEASE_MS, NULL, &other, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(other.attempts, 42);
}

JOB_TEST(with_only_no_other_job_is_leased)
{
	struct blob_id first = queued(l, "u"), second = queued(l, "u");
	struct job job;

	assert_int_equal(job_lease_next(&l->life, "o", LEASE_MS, &second, &job, NULL), 0);
	assert_string_equal(job.video_fid.hex, second.hex);
	assert_int_equal(job_lease_next(&l->life, "o", LEASE_MS, &second, &job, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(get(l, &first).state, JOB_QUEUED);
}

JOB_TEST(one_users_jobs_are_leased_oldest_first)
{
	struct blob_id videos[5];

	for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
		videos[i] = queued(l, "u");
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(videos); i++)
		assert_string_equal(lease(l).video_fid.hex, videos[i].hex);
}

JOB_TEST(the_user_with_fewest_running_is_served_first)
{
	static const char *const arrivals[] = { "a", "a", "a", "b", "b", "c" };
	static const char *const starts[] = { "a", "b", "c", "a", "b", "a" };

	for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
		queued(l, arrivals[i]);
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		assert_string_equal(lease(l).username, starts[i]);
}

JOB_TEST(a_job_behind_500_of_another_user_is_second)
{
	struct job first, second;

	for (int i = 0; i < 500; i++)
		queued(l, "$greedy");
	advance(10);
	queued(l, "b");
	first = lease(l);
	second = lease(l);
	assert_string_equal(first.username, "$greedy");
	assert_string_equal(second.username, "b");
}

static const char *
start_and_end_one(struct ledger *s)
{
	static struct job job;
	struct blob_id mp3 = blob_id_new();

	job = lease(s);
	assert_int_equal(
		job_finish(&s->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	return job.username;
}

/* A converter with one job at a time: whenever it asks, nobody has one running. */
JOB_TEST(a_newcomer_is_next_behind_500_even_when_nothing_runs)
{
	for (int i = 0; i < 500; i++)
		queued(l, "$greedy");
	advance(10);
	for (int i = 0; i < 3; i++)
		assert_string_equal(start_and_end_one(l), "$greedy");
	queued(l, "b");
	assert_string_equal(start_and_end_one(l), "b");
	assert_string_equal(start_and_end_one(l), "$greedy");
}

JOB_TEST(users_take_turns_when_nothing_runs)
{
	static const char *const arrivals[] = { "a", "a", "a", "b", "b", "c" };
	static const char *const starts[] = { "a", "b", "c", "a", "b", "a" };

	for (size_t i = 0; i < ARRAY_LEN(arrivals); i++) {
		queued(l, arrivals[i]);
		advance(10);
	}
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		assert_string_equal(start_and_end_one(l), starts[i]);
}

struct racer {
	struct ledger *store;
	struct job won[51]; /* one more than there are, so that each sees the end */
	size_t count;
	int last;
	pthread_t thread;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	while (r->count < ARRAY_LEN(r->won) &&
	       (r->last = job_lease_next(&r->store->life, "racer", LEASE_MS, NULL,
					 &r->won[r->count], NULL)) == 0)
		r->count++;
	return NULL;
}

JOB_TEST(eight_threads_lease_fifty_jobs_once_each)
{
	static struct racer racers[8];
	static const char *const users[] = { "a", "b", "c" };
	struct blob_id videos[50];
	size_t won = 0;

	for (size_t i = 0; i < ARRAY_LEN(videos); i++)
		videos[i] = queued(l, users[i % ARRAY_LEN(users)]);
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){ .store = l };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		pthread_join(racers[i].thread, NULL);
		assert_int_equal(racers[i].last, ERR_NOT_FOUND);
		won += racers[i].count;
	}
	assert_int_equal(won, ARRAY_LEN(videos));
	for (size_t v = 0; v < ARRAY_LEN(videos); v++) {
		int holders = 0;

		for (size_t i = 0; i < ARRAY_LEN(racers); i++)
			holders += index_of(racers[i].won, racers[i].count, &videos[v]) <
				   racers[i].count;
		assert_int_equal(holders, 1);
	}
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
		struct job_result result = { blob_id_new(), 1, given[i] };
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

JOB_TEST(a_retried_job_waits_out_its_delay)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);

	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_VIDEO, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_retry(&l->life, &job.lease, &why, 30000, NULL), 0);
	assert_int_equal(job_retry(&l->life, &job.lease, &why, 30000, NULL), 0);
	assert_int_equal(job_lease_next(&l->life, "o", LEASE_MS, NULL, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_lease_next(&l->life, "o", LEASE_MS, &video, &job, NULL),
			 ERR_NOT_FOUND);
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
