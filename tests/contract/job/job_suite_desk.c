#include "contract/job/job_suite_private.h"

static const struct job_error why = { "no_audio", "the video has no sound" };

static struct job
failed(struct ledger *s, const char *user)
{
	struct job job;
	struct blob_id video = queued(s, user);

	assert_int_equal(lease_one(s, &video, &job), 0);
	assert_int_equal(job_fail(&s->life, &job.lease, &why, NULL), 0);
	return job;
}

JOB_TEST(jobs_are_listed_newest_first_by_state_and_user)
{
	const enum job_state is_failed = JOB_FAILED;
	struct blob_id a, b;
	struct job jobs[8], c;
	size_t count = 0;

	a = queued(l, "ann");
	advance(10);
	c = failed(l, "ann");
	advance(10);
	b = queued(l, "bob");
	assert_int_equal(job_list(&l->desk, &(struct job_filter){ 0 }, jobs, 8, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(jobs[0].video_fid.hex, b.hex);
	assert_string_equal(jobs[1].video_fid.hex, c.video_fid.hex);
	assert_string_equal(jobs[2].video_fid.hex, a.hex);
	assert_int_equal(
		job_list(&l->desk, &(struct job_filter){ NULL, "ann" }, jobs, 1, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_string_equal(jobs[0].video_fid.hex, c.video_fid.hex);
	assert_int_equal(job_list(&l->desk, &(struct job_filter){ &is_failed, "bob" }, jobs, 8,
				  &count, NULL),
			 0);
	assert_int_equal(count, 0);
	assert_int_equal(
		job_list(&l->desk, &(struct job_filter){ &is_failed, NULL }, jobs, 8, &count, NULL),
		0);
	assert_int_equal(count, 1);
	assert_string_equal(jobs[0].error.code, why.code);
	assert_int_equal(job_list(&l->desk, &(struct job_filter){ 0 }, jobs, 0, &count, NULL), 0);
	assert_int_equal(count, 0);
}

JOB_TEST(only_failed_jobs_are_requeued_and_as_on_the_first_day)
{
	struct job first = failed(l, "ann"), second = failed(l, "bob"), again;
	struct job_message message;
	int64_t n = 0;

	first = get(l, &first.video_fid);
	message = job_message_of(&first);
	assert_int_equal(job_mark_published(&l->outbox, &first, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(job_claim_notice(&l->notice, &first.video_fid, "n1", LEASE_MS, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	queued(l, "ann");
	assert_int_equal(job_requeue_failed(&l->desk, NULL, "ann", &n, NULL), 0);
	assert_int_equal(n, 1);
	again = get(l, &first.video_fid);
	assert_int_equal(again.state, JOB_QUEUED);
	assert_int_equal(again.attempts, 0);
	assert_string_equal(again.error.code, "");
	assert_int_equal(again.video_published_ms, 0);
	assert_int_equal(again.result_published_ms, 0);
	assert_int_equal(again.notified_ms, 0);
	assert_int_equal(job_claim_notice(&l->notice, &first.video_fid, "n2", LEASE_MS, NULL), 0);
	assert_int_equal(get(l, &second.video_fid).state, JOB_FAILED);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 2);
	assert_int_equal(job_requeue_failed(&l->desk, NULL, NULL, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(job_requeue_failed(&l->desk, NULL, NULL, &n, NULL), 0);
	assert_int_equal(n, 0);
}

JOB_TEST(one_failed_job_is_requeued_and_the_others_stay)
{
	struct job one = failed(l, "ann"), other = failed(l, "ann");
	struct blob_id unknown = blob_id_new(), waiting = queued(l, "ann");
	int64_t n = -1;

	assert_int_equal(job_requeue_failed(&l->desk, &unknown, NULL, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(job_requeue_failed(&l->desk, &waiting, NULL, &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(job_requeue_failed(&l->desk, &one.video_fid, "bob", &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(job_requeue_failed(&l->desk, &one.video_fid, NULL, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(get(l, &one.video_fid).state, JOB_QUEUED);
	assert_int_equal(get(l, &other.video_fid).state, JOB_FAILED);
	/* the old lease means nothing any more */
	assert_int_equal(job_fail(&l->life, &one.lease, &why, NULL), ERR_CONFLICT);
}

JOB_TEST(a_failure_that_is_late_says_nothing_of_a_job_that_was_done_again)
{
	struct job job = failed(l, "ann");
	struct job_message late, fresh;
	struct blob_id mp3 = blob_id_new();
	int64_t n = 0;

	job = get(l, &job.video_fid);
	late = job_message_of(&job);
	assert_int_equal(job_requeue_failed(&l->desk, NULL, NULL, &n, NULL), 0);
	job = lease(l);
	assert_int_equal(
		job_finish(&l->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &late, NULL), ERR_CONFLICT);
	job = get(l, &job.video_fid);
	assert_int_equal(job.notified_ms, 0);
	fresh = job_message_of(&job);
	assert_int_equal(job_mark_notified(&l->notice, &fresh, NULL), 0);
}

JOB_TEST(a_users_load_is_what_has_not_ended)
{
	struct job upload = { .video_fid = blob_id_new(),
			      .username = "ann",
			      .source = { .bytes = 5000 } };
	struct job_load load = { -1, -1 };

	assert_int_equal(job_load(&l->desk, "ann", &load, NULL), 0);
	assert_int_equal(load.unfinished, 0);
	assert_int_equal(load.uploading_bytes, 0);
	failed(l, "ann");
	queued(l, "ann");
	lease(l);
	queued(l, "ann");
	queued(l, "anna");
	assert_int_equal(job_create(&l->life, &upload, NULL), 0);
	upload.video_fid = blob_id_new();
	upload.source.bytes = 70;
	assert_int_equal(job_create(&l->life, &upload, NULL), 0);
	assert_int_equal(job_load(&l->desk, "ann", &load, NULL), 0);
	assert_int_equal(load.unfinished, 4);
	assert_int_equal(load.uploading_bytes, 5070);
	upload.source.bytes = 60;
	assert_int_equal(job_enqueue(&l->life, &upload.video_fid, &upload.source, NULL, NULL), 0);
	assert_int_equal(job_load(&l->desk, "ann", &load, NULL), 0);
	assert_int_equal(load.unfinished, 4);
	assert_int_equal(load.uploading_bytes, 5000);
}

static int64_t
stored(struct ledger *l, const char *user)
{
	int64_t bytes = -1;

	assert_int_equal(job_stored(&l->desk, user, &bytes, NULL), 0);
	return bytes;
}

/* A job of ann's that is done, its result published, its video and its mp3 of so many bytes. */
static struct job
done(struct ledger *l, int64_t video, int64_t mp3)
{
	struct job job = { .video_fid = blob_id_new(),
			   .username = "ann",
			   .state = JOB_QUEUED,
			   .source = { .bytes = video } };
	struct job_result result = { .mp3_fid = blob_id_new(), .bytes = mp3 };

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(lease_one(l, &job.video_fid, &job), 0);
	assert_int_equal(job_finish(&l->life, &job.lease, &result, NULL), 0);
	job = get(l, &job.video_fid);
	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_RESULT, NULL), 0);
	return get(l, &job.video_fid);
}

JOB_TEST(what_a_user_stores_is_the_videos_and_results_that_are_there)
{
	struct job upload = { .video_fid = blob_id_new(),
			      .username = "ann",
			      .source = { .bytes = 5000000000 } };
	struct job_message msgqs = { .video_fid = blob_id_new(), .username = "ann" };
	struct job both;

	assert_int_equal(stored(l, "ann"), 0);
	both = done(l, 3000, 200);
	assert_int_equal(stored(l, "ann"), 3200);
	assert_int_equal(stored(l, "anna"), 0);
	assert_int_equal(job_create(&l->life, &upload, NULL), 0);
	assert_int_equal(stored(l, "ann"), 3200); /* what is under way is job_load's */
	assert_int_equal(job_enqueue(&l->life, &upload.video_fid, &upload.source, NULL, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000003200);
	failed(l, "ann");
	assert_int_equal(job_adopt(&l->life, &msgqs, NULL), 0);
	msgqs.mp3_fid = blob_id_new();
	assert_int_equal(job_mark_notified(&l->notice, &msgqs, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000003200);
	assert_int_equal(job_expire(&l->leftover, &both, JOB_LEFT_VIDEO, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000003200); /* it is still there */
	assert_int_equal(job_settle(&l->leftover, &both.video_fid, JOB_LEFT_VIDEO, NULL, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000000200);
	assert_int_equal(job_expire(&l->leftover, &both, JOB_LEFT_AUDIO, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000000200);
	assert_int_equal(job_settle(&l->leftover, &both.video_fid, JOB_LEFT_AUDIO, NULL, NULL), 0);
	assert_int_equal(stored(l, "ann"), 5000000000);
}
