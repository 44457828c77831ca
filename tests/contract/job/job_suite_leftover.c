#include "contract/job/job_suite_private.h"

#define DAY_MS 86400000

struct seen {
	size_t count;
	struct job job;
	struct blob_id blob; /* the last one */
};

static int
note(const struct job *job, const struct blob_id *blob, void *arg, struct err *e)
{
	struct seen *seen = arg;

	(void)e;
	seen->count++;
	seen->job = *job;
	seen->blob = *blob;
	return 0;
}

static struct seen
left(struct ledger *s, enum job_left which, int64_t age_ms)
{
	struct seen seen = { 0 };

	assert_int_equal(job_each_leftover(&s->leftover, which, age_ms, note, &seen, NULL), 0);
	return seen;
}

static struct job
uploading(struct ledger *s)
{
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };

	assert_int_equal(job_create(&s->life, &job, NULL), 0);
	return get(s, &job.video_fid);
}

/* A job that is done under its own output, its result published. */
static struct job
done(struct ledger *s)
{
	struct job job;
	struct blob_id video = queued(s, "u");

	assert_int_equal(lease_one(s, &video, &job), 0);
	assert_int_equal(
		job_finish(&s->life, &job.lease,
			   &(struct job_result){ .mp3_fid = job.lease.output, .duration_s = 1 },
			   NULL),
		0);
	job = get(s, &video);
	assert_int_equal(job_mark_published(&s->outbox, &job, JOB_PUBLISH_RESULT, NULL), 0);
	return get(s, &video);
}

JOB_TEST(a_lease_registers_a_fresh_output_until_the_job_is_done_with_it)
{
	struct blob_id video = queued(l, "u"), unknown = blob_id_new();
	struct job first = lease(l), second;

	assert_false(blob_id_is_none(&first.lease.output));
	assert_string_equal(get(l, &video).lease.output.hex, first.lease.output.hex);
	assert_int_equal(job_is_registered(&l->leftover, &first.lease.output, NULL), 0);
	assert_int_equal(job_is_registered(&l->leftover, &video, NULL), 0);
	assert_int_equal(job_is_registered(&l->leftover, &unknown, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_hand_back(&l->life, &first.lease, NULL, NULL), 0);
	second = lease(l);
	assert_string_not_equal(first.lease.output.hex, second.lease.output.hex);
	assert_int_equal(
		job_finish(&l->life, &second.lease,
			   &(struct job_result){ .mp3_fid = second.lease.output, .duration_s = 1 },
			   NULL),
		0);
	assert_int_equal(job_is_registered(&l->leftover, &second.lease.output, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(job_is_registered(&l->leftover, &first.lease.output, NULL), 0);
}

JOB_TEST(outputs_are_left_over_when_no_attempt_has_run_for_long)
{
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);
	struct seen seen;

	advance(2 * DAY_MS);
	assert_int_equal(left(l, JOB_LEFT_OUTPUT, DAY_MS).count, 0); /* leased */
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	assert_int_equal(left(l, JOB_LEFT_OUTPUT, DAY_MS).count, 0);
	advance(DAY_MS + 1000);
	seen = left(l, JOB_LEFT_OUTPUT, DAY_MS);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.blob.hex, job.lease.output.hex);
	assert_string_equal(seen.job.video_fid.hex, video.hex);
	assert_int_equal(job_settle(&l->leftover, &video, JOB_LEFT_OUTPUT, &seen.blob, NULL), 0);
	assert_int_equal(job_settle(&l->leftover, &video, JOB_LEFT_OUTPUT, &seen.blob, NULL), 0);
	assert_int_equal(left(l, JOB_LEFT_OUTPUT, DAY_MS).count, 0);
	assert_int_equal(job_is_registered(&l->leftover, &seen.blob, NULL), ERR_NOT_FOUND);
}

JOB_TEST(a_job_remembers_the_outputs_of_its_last_attempts_only)
{
	struct blob_id first = { "" };

	queued(l, "u");
	for (int i = 0; i <= JOB_OUTPUTS_MAX; i++) {
		struct job job = lease(l);

		if (i == 0)
			first = job.lease.output;
		assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	}
	assert_int_equal(job_is_registered(&l->leftover, &first, NULL), ERR_NOT_FOUND);
	advance(DAY_MS + 1000);
	assert_int_equal(left(l, JOB_LEFT_OUTPUT, DAY_MS).count, JOB_OUTPUTS_MAX);
}

JOB_TEST(an_old_upload_is_given_up_and_forgotten)
{
	struct job job = uploading(l);
	struct seen seen;

	assert_int_equal(left(l, JOB_LEFT_UPLOAD, DAY_MS).count, 0);
	advance(DAY_MS + 1000);
	seen = left(l, JOB_LEFT_UPLOAD, DAY_MS);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.blob.hex, job.video_fid.hex);
	assert_int_equal(job_settle(&l->leftover, &job.video_fid, JOB_LEFT_UPLOAD, NULL, NULL), 0);
	assert_int_equal(get(l, &job.video_fid).state, JOB_UPLOADING); /* not given up yet */
	assert_int_equal(job_expire(&l->leftover, &seen.job, JOB_LEFT_UPLOAD, NULL), 0);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &job.source, NULL, NULL),
			 ERR_CONFLICT);
	/* a janitor that died here is followed by one that sees it at once */
	assert_int_equal(left(l, JOB_LEFT_UPLOAD, DAY_MS).count, 1);
	assert_int_equal(job_settle(&l->leftover, &job.video_fid, JOB_LEFT_UPLOAD, NULL, NULL), 0);
	assert_int_equal(job_get(&l->life, &job.video_fid, &job, NULL), ERR_NOT_FOUND);
}

JOB_TEST(an_upload_that_came_through_is_not_given_up)
{
	struct job job = uploading(l);
	struct seen seen;

	advance(DAY_MS + 1000);
	seen = left(l, JOB_LEFT_UPLOAD, DAY_MS);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &job.source, NULL, NULL), 0);
	assert_int_equal(job_expire(&l->leftover, &seen.job, JOB_LEFT_UPLOAD, NULL), ERR_CONFLICT);
	assert_int_equal(get(l, &job.video_fid).state, JOB_QUEUED);
}

JOB_TEST(only_jobs_that_ended_and_were_published_have_blobs_that_may_go)
{
	struct job ended = done(l), job;
	struct seen seen;

	queued(l, "waits");
	uploading(l);
	job = lease(l);
	assert_int_equal(
		job_finish(&l->life, &job.lease,
			   &(struct job_result){ .mp3_fid = job.lease.output, .duration_s = 1 },
			   NULL),
		0);
	queued(l, "runs");
	lease(l);
	assert_int_equal(left(l, JOB_LEFT_VIDEO, DAY_MS).count, 0);
	advance(DAY_MS + 1000);
	seen = left(l, JOB_LEFT_VIDEO, DAY_MS);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.blob.hex, ended.video_fid.hex);
	seen = left(l, JOB_LEFT_AUDIO, DAY_MS);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.blob.hex, ended.mp3_fid.hex);
}

JOB_TEST(expired_audio_is_settled_and_the_job_says_so)
{
	struct job job = done(l);
	struct seen seen;

	advance(DAY_MS + 1000);
	seen = left(l, JOB_LEFT_AUDIO, DAY_MS);
	assert_int_equal(job_expire(&l->leftover, &seen.job, JOB_LEFT_AUDIO, NULL), 0);
	assert_int_equal(get(l, &job.video_fid).state, JOB_EXPIRED);
	assert_int_equal(left(l, JOB_LEFT_AUDIO, DAY_MS).count, 1);
	assert_int_equal(left(l, JOB_LEFT_UPLOAD, DAY_MS).count, 0);
	assert_int_equal(left(l, JOB_LEFT_VIDEO, DAY_MS).count, 1);
	assert_int_equal(job_settle(&l->leftover, &job.video_fid, JOB_LEFT_AUDIO, &seen.blob, NULL),
			 0);
	assert_int_equal(left(l, JOB_LEFT_AUDIO, DAY_MS).count, 0);
	assert_int_equal(left(l, JOB_LEFT_VIDEO, DAY_MS).count, 1);
}

JOB_TEST(a_failed_job_whose_video_expires_is_not_requeued)
{
	struct job_error why = { "no_audio", "the video has no sound" };
	struct blob_id video = queued(l, "u");
	struct job job = lease(l);
	struct seen seen;
	int64_t n = 9;

	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), 0);
	job = get(l, &video);
	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_RESULT, NULL), 0);
	advance(DAY_MS + 1000);
	assert_int_equal(left(l, JOB_LEFT_AUDIO, DAY_MS).count, 0);
	seen = left(l, JOB_LEFT_VIDEO, DAY_MS);
	assert_int_equal(seen.count, 1);
	assert_int_equal(job_requeue_failed(&l->desk, &video, NULL, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(job_expire(&l->leftover, &seen.job, JOB_LEFT_VIDEO, NULL), ERR_CONFLICT);
	job = lease(l);
	assert_int_equal(job_fail(&l->life, &job.lease, &why, NULL), 0);
	job = get(l, &video);
	assert_int_equal(job_expire(&l->leftover, &job, JOB_LEFT_VIDEO, NULL), 0);
	assert_int_equal(job_requeue_failed(&l->desk, &video, NULL, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(get(l, &video).state, JOB_FAILED);
	assert_int_equal(job_settle(&l->leftover, &video, JOB_LEFT_VIDEO, NULL, NULL), 0);
	assert_int_equal(left(l, JOB_LEFT_VIDEO, 0).count, 0);
}

JOB_TEST(who_holds_the_lease_is_told_what_earlier_attempts_registered)
{
	struct blob_id outputs[JOB_OUTPUTS_MAX], video = queued(l, "u");
	struct job first = lease(l), second, third;
	size_t count = 9;

	assert_int_equal(job_list_outputs(&l->life, &first.lease, outputs, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(job_hand_back(&l->life, &first.lease, NULL, NULL), 0);
	second = lease(l);
	assert_int_equal(job_hand_back(&l->life, &second.lease, NULL, NULL), 0);
	third = lease(l);
	assert_int_equal(job_list_outputs(&l->life, &third.lease, outputs, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(outputs[0].hex, first.lease.output.hex);
	assert_string_equal(outputs[1].hex, second.lease.output.hex);
	assert_int_equal(job_finish(&l->life, &third.lease,
				    &(struct job_result){ .mp3_fid = outputs[1] }, NULL),
			 0);
	assert_string_equal(get(l, &video).mp3_fid.hex, second.lease.output.hex);
	third.lease.video_fid = blob_id_new();
	assert_int_equal(job_list_outputs(&l->life, &third.lease, outputs, &count, NULL),
			 ERR_NOT_FOUND);
}
