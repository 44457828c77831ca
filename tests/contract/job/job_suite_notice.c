#include "contract/job/job_suite_private.h"

#define NOTICE_MS 15000

static const struct job_error why = { "no_audio", "the video has no sound" };

static struct job
done(struct ledger *s, const char *user)
{
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(s, user);
	job = lease(s);
	assert_int_equal(
		job_finish(&s->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	return get(s, &job.video_fid);
}

JOB_TEST(a_result_is_announced_once)
{
	struct job job = done(l, "u");
	struct job_message message = job_message_of(&job), unknown = message;
	struct err e = ERR_NONE;

	unknown.video_fid = blob_id_new();
	assert_int_equal(job_mark_notified(&l->notice, &unknown, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_was_notified(&l->notice, &unknown.video_fid, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_was_notified(&l->notice, &message.video_fid, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, &e), ERR_CONFLICT);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(job_was_notified(&l->notice, &message.video_fid, NULL), 1);
	job = get(l, &message.video_fid);
	assert_true(job.notified_ms > 0);
	assert_true(job.result_published_ms > 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_RESULT), 0);
	queued(l, "u");
	job = lease(l);
	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), 0);
	job = get(l, &job.video_fid);
	message = job_message_of(&job);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), ERR_CONFLICT);
	assert_int_equal(get(l, &message.video_fid).state, JOB_FAILED);
}

JOB_TEST(one_of_two_announces_and_the_other_takes_over_when_it_asks_twice)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);
	struct blob_id mp3 = blob_id_new();
	struct job_message message;

	assert_int_equal(
		job_finish(&l->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "a", NOTICE_MS, NULL), ERR_CONFLICT);
	job = get(l, &video);
	message = job_message_of(&job);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
}

JOB_TEST(whoever_claimed_may_claim_again_and_an_unknown_job_has_no_claim)
{
	struct blob_id video = queued(l, "u"), unknown = blob_id_new();

	assert_int_equal(job_claim_notice(&l->notice, &unknown, "a", NOTICE_MS, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(job_claim_notice(&l->notice, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "a", NOTICE_MS, NULL), 0);
	advance(NOTICE_MS + 100);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
	assert_int_equal(job_claim_notice(&l->notice, &video, "a", NOTICE_MS, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &video, "b", NOTICE_MS, NULL), ERR_CONFLICT);
}

JOB_TEST(a_job_done_by_another_converter_becomes_done)
{
	struct blob_id other_mp3 = blob_id_new();
	struct job_message message = { .video_fid = queued(l, "u"), .mp3_fid = blob_id_new() };
	struct job job = lease(l);

	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(job_finish(&l->life, &job.lease,
				    &(struct job_result){ .mp3_fid = other_mp3 }, NULL),
			 ERR_CONFLICT);
	job = get(l, &message.video_fid);
	assert_int_equal(job.state, JOB_DONE);
	assert_string_equal(job.mp3_fid.hex, message.mp3_fid.hex);
	assert_true(job.notified_ms > 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_RESULT), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), ERR_CONFLICT);
	message.video_fid = queued(l, "u");
	message.mp3_fid = blob_id_new();
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(job_find_by_mp3(&l->desk, &message.mp3_fid, &job, NULL), 0);
	assert_int_equal(lease_fairest(l, "o", &job), ERR_NOT_FOUND);
}

JOB_TEST(nothing_is_announced_of_a_job_without_a_result)
{
	struct job_message message = { .video_fid = queued(l, "u"), .error = why };

	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), ERR_CONFLICT);
	assert_int_equal(get(l, &message.video_fid).state, JOB_QUEUED);
	assert_int_equal(get(l, &message.video_fid).notified_ms, 0);
}
