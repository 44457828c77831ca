#include "contract/job/job_suite_private.h"

#define NOTICE_MS 15000

static const struct job_error why = { "no_audio", "the video has no sound" };

static size_t
list(struct job_store *s, enum job_publication which, struct job *jobs, size_t max)
{
	size_t count = 0;

	assert_int_equal(job_list_unpublished(s, which, jobs, max, &count, NULL), 0);
	return count;
}

static struct job
done(struct job_store *s, const char *user)
{
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(s, user);
	job = lease(s);
	assert_int_equal(job_finish(s, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 0);
	return get(s, &job.video_fid);
}

JOB_TEST(unpublished_jobs_are_listed_oldest_first_until_marked)
{
	struct blob_id videos[4];
	struct job jobs[4];

	for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
		videos[i] = queued(*state, "u");
		advance(10);
	}
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 3), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(jobs[i].video_fid.hex, videos[i].hex);
	assert_int_equal(job_mark_published(*state, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(job_mark_published(*state, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 3);
	assert_int_equal(index_of(jobs, 3, &videos[1]), 3);
	assert_true(get(*state, &videos[1]).video_published_ms > 0);
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 4), 0);
}

JOB_TEST(a_job_whose_message_may_be_lost_is_listed_again)
{
	struct blob_id lost = queued(*state, "u"), fresh;
	struct job jobs[4], job = get(*state, &lost);

	assert_int_equal(job_mark_published(*state, &job, JOB_PUBLISH_VIDEO, NULL), 0);
	advance(JOB_REPUBLISH_MS - 60000);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 0);
	advance(61000);
	fresh = queued(*state, "u");
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 2);
	assert_string_equal(jobs[0].video_fid.hex, fresh.hex);
	assert_string_equal(jobs[1].video_fid.hex, lost.hex);
	assert_int_equal(job_mark_published(*state, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 1);
}

JOB_TEST(a_mark_for_a_job_that_moved_on_is_a_conflict)
{
	struct blob_id video = queued(*state, "u");
	struct job read = get(*state, &video), unread = { .video_fid = video, .state = JOB_QUEUED };
	struct job job;

	advance(10);
	job = lease(*state);
	assert_int_equal(job_mark_published(*state, &read, JOB_PUBLISH_VIDEO, NULL), ERR_CONFLICT);
	assert_int_equal(job_give_back(*state, &job.lease, NULL, NULL), 0);
	assert_int_equal(job_mark_published(*state, &read, JOB_PUBLISH_VIDEO, NULL), ERR_CONFLICT);
	assert_int_equal(job_mark_published(*state, &unread, JOB_PUBLISH_RESULT, NULL),
			 ERR_CONFLICT);
	assert_int_equal(unpublished(*state, JOB_PUBLISH_VIDEO), 1);
	assert_int_equal(job_mark_published(*state, &unread, JOB_PUBLISH_VIDEO, NULL), 0);
	unread.video_fid = blob_id_new();
	assert_int_equal(job_mark_published(*state, &unread, JOB_PUBLISH_VIDEO, NULL),
			 ERR_NOT_FOUND);
}

JOB_TEST(results_are_listed_until_marked)
{
	struct job first = done(*state, "u"), failing, jobs[4];

	advance(10);
	queued(*state, "u");
	failing = lease(*state);
	assert_int_equal(job_fail(*state, &failing.lease, &why, NULL), 0);
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 4), 2);
	assert_string_equal(jobs[0].video_fid.hex, first.video_fid.hex);
	assert_string_equal(jobs[0].mp3_fid.hex, first.mp3_fid.hex);
	assert_int_equal(jobs[1].state, JOB_FAILED);
	assert_string_equal(jobs[1].error.code, "no_audio");
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 1), 1);
	assert_int_equal(job_mark_published(*state, &jobs[0], JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, failing.video_fid.hex);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 0);
}

/* A converter marks at once, with the job as it was leased and the result that it has recorded. */
JOB_TEST(a_result_is_marked_by_its_converter_without_reading_it_again)
{
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(*state, "u");
	job = lease(*state);
	advance(5000);
	assert_int_equal(job_renew(*state, &job.lease, LEASE_MS,
				   &(struct job_progress){ .fraction = 0.5 }, NULL),
			 0);
	assert_int_equal(
		job_finish(*state, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	job.state = JOB_DONE;
	assert_int_equal(job_mark_published(*state, &job, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(unpublished(*state, JOB_PUBLISH_RESULT), 0);
}

JOB_TEST(a_queue_that_is_gone_takes_its_publications_back)
{
	struct job announced = done(*state, "u"), said_nothing = done(*state, "u"), jobs[4], waits;
	struct job_message message = job_message_of(&announced);
	struct blob_id video = queued(*state, "u");
	int64_t forgotten = -1;

	waits = get(*state, &video);
	assert_int_equal(job_mark_published(*state, &announced, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(job_mark_published(*state, &said_nothing, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(job_mark_published(*state, &waits, JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 4), 0);

	assert_int_equal(job_forget_published(*state, JOB_PUBLISH_RESULT, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 1);
	assert_int_equal(list(*state, JOB_PUBLISH_RESULT, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, said_nothing.video_fid.hex);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 0);

	assert_int_equal(job_forget_published(*state, JOB_PUBLISH_VIDEO, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 1);
	assert_int_equal(list(*state, JOB_PUBLISH_VIDEO, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, video.hex);
	assert_int_equal(job_forget_published(*state, JOB_PUBLISH_VIDEO, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 0);
}

JOB_TEST(a_result_is_announced_once)
{
	struct job job = done(*state, "u");
	struct job_message message = job_message_of(&job), unknown = message;
	struct err e = ERR_NONE;

	unknown.video_fid = blob_id_new();
	assert_int_equal(job_mark_notified(*state, &unknown, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(job_mark_notified(*state, &message, &e), ERR_CONFLICT);
	assert_int_equal(e.code, ERR_CONFLICT);
	job = get(*state, &message.video_fid);
	assert_true(job.notified_ms > 0);
	assert_true(job.result_published_ms > 0);
	assert_int_equal(unpublished(*state, JOB_PUBLISH_RESULT), 0);
	queued(*state, "u");
	job = lease(*state);
	assert_int_equal(job_fail(*state, &job.lease, &why, NULL), 0);
	job = get(*state, &job.video_fid);
	message = job_message_of(&job);
	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(job_mark_notified(*state, &message, NULL), ERR_CONFLICT);
	assert_int_equal(get(*state, &message.video_fid).state, JOB_FAILED);
}

JOB_TEST(one_of_two_announces_and_the_other_takes_over_when_it_asks_twice)
{
	struct blob_id video = queued(*state, "u");
	struct job job = lease(*state);
	struct blob_id mp3 = blob_id_new();
	struct job_message message;

	assert_int_equal(
		job_finish(*state, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "a", NOTICE_MS, NULL), ERR_CONFLICT);
	job = get(*state, &video);
	message = job_message_of(&job);
	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
}

JOB_TEST(whoever_claimed_may_claim_again_and_an_unknown_job_has_no_claim)
{
	struct blob_id video = queued(*state, "u"), unknown = blob_id_new();

	assert_int_equal(job_claim_notice(*state, &unknown, "a", NOTICE_MS, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_claim_notice(*state, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "a", NOTICE_MS, NULL), 0);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	assert_int_equal(job_claim_notice(*state, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(*state, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
}

JOB_TEST(a_job_done_by_another_converter_becomes_done)
{
	struct blob_id other_mp3 = blob_id_new();
	struct job_message message = { .video_fid = queued(*state, "u"), .mp3_fid = blob_id_new() };
	struct job job = lease(*state);

	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(
		job_finish(*state, &job.lease, &(struct job_result){ .mp3_fid = other_mp3 }, NULL),
		ERR_CONFLICT);
	job = get(*state, &message.video_fid);
	assert_int_equal(job.state, JOB_DONE);
	assert_string_equal(job.mp3_fid.hex, message.mp3_fid.hex);
	assert_true(job.notified_ms > 0);
	assert_int_equal(unpublished(*state, JOB_PUBLISH_RESULT), 0);
	assert_int_equal(job_mark_notified(*state, &message, NULL), ERR_CONFLICT);
	message.video_fid = queued(*state, "u");
	message.mp3_fid = blob_id_new();
	assert_int_equal(job_mark_notified(*state, &message, NULL), 0);
	assert_int_equal(job_find_by_mp3(*state, &message.mp3_fid, &job, NULL), 0);
	assert_int_equal(job_lease_next(*state, "o", LEASE_MS, NULL, &job, NULL), ERR_NOT_FOUND);
}

JOB_TEST(nothing_is_announced_of_a_job_without_a_result)
{
	struct job_message message = { .video_fid = queued(*state, "u"), .error = why };

	assert_int_equal(job_mark_notified(*state, &message, NULL), ERR_CONFLICT);
	assert_int_equal(get(*state, &message.video_fid).state, JOB_QUEUED);
	assert_int_equal(get(*state, &message.video_fid).notified_ms, 0);
}
