#include "contract/job/job_suite_private.h"

static const struct job_error why = { "no_audio", "the video has no sound" };

static size_t
list(struct ledger *s, enum job_publication which, struct job *jobs, size_t max)
{
	size_t count = 0;

	assert_int_equal(job_list_unpublished(&s->outbox, which, jobs, max, &count, NULL), 0);
	return count;
}

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

JOB_TEST(unpublished_jobs_are_listed_oldest_first_until_marked)
{
	struct blob_id videos[4];
	struct job jobs[4];

	for (size_t i = 0; i < ARRAY_LEN(videos); i++) {
		videos[i] = queued(l, "u");
		advance(10);
	}
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 3), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(jobs[i].video_fid.hex, videos[i].hex);
	assert_int_equal(job_mark_published(&l->outbox, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(job_mark_published(&l->outbox, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 3);
	assert_int_equal(index_of(jobs, 3, &videos[1]), 3);
	assert_true(get(l, &videos[1]).video_published_ms > 0);
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 4), 0);
}

JOB_TEST(a_job_whose_message_may_be_lost_is_listed_again)
{
	struct blob_id lost = queued(l, "u"), fresh;
	struct job jobs[4], job = get(l, &lost);

	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_VIDEO, NULL), 0);
	advance(JOB_REPUBLISH_MS - 60000);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 0);
	advance(61000);
	fresh = queued(l, "u");
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 2);
	assert_string_equal(jobs[0].video_fid.hex, fresh.hex);
	assert_string_equal(jobs[1].video_fid.hex, lost.hex);
	assert_int_equal(job_mark_published(&l->outbox, &jobs[1], JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 1);
}

JOB_TEST(a_mark_for_a_job_that_moved_on_is_a_conflict)
{
	struct blob_id video = queued(l, "u");
	struct job read = get(l, &video), unread = { .video_fid = video, .state = JOB_QUEUED };
	struct job job;

	advance(10);
	job = lease(l);
	assert_int_equal(job_mark_published(&l->outbox, &read, JOB_PUBLISH_VIDEO, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_hand_back(&l->life, &job.lease, NULL, NULL), 0);
	assert_int_equal(job_mark_published(&l->outbox, &read, JOB_PUBLISH_VIDEO, NULL),
			 ERR_CONFLICT);
	assert_int_equal(job_mark_published(&l->outbox, &unread, JOB_PUBLISH_RESULT, NULL),
			 ERR_CONFLICT);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 1);
	assert_int_equal(job_mark_published(&l->outbox, &unread, JOB_PUBLISH_VIDEO, NULL), 0);
	unread.video_fid = blob_id_new();
	assert_int_equal(job_mark_published(&l->outbox, &unread, JOB_PUBLISH_VIDEO, NULL),
			 ERR_NOT_FOUND);
}

JOB_TEST(results_are_listed_until_marked)
{
	struct job first = done(l, "u"), failing, jobs[4];

	advance(10);
	queued(l, "u");
	failing = lease(l);
	assert_int_equal(job_fail(&l->life, &failing.lease, &why, NULL), 0);
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 4), 2);
	assert_string_equal(jobs[0].video_fid.hex, first.video_fid.hex);
	assert_string_equal(jobs[0].mp3_fid.hex, first.mp3_fid.hex);
	assert_int_equal(jobs[1].state, JOB_FAILED);
	assert_string_equal(jobs[1].error.code, "no_audio");
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 1), 1);
	assert_int_equal(job_mark_published(&l->outbox, &jobs[0], JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, failing.video_fid.hex);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 0);
}

/* A converter marks at once, with the job as it was leased and the result that it has recorded. */
JOB_TEST(a_result_is_marked_by_its_converter_without_reading_it_again)
{
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(l, "u");
	job = lease(l);
	advance(5000);
	assert_int_equal(job_renew(&l->life, &job.lease, LEASE_MS,
				   &(struct job_progress){ .fraction = 0.5 }, NULL),
			 0);
	assert_int_equal(
		job_finish(&l->life, &job.lease, &(struct job_result){ .mp3_fid = mp3 }, NULL), 0);
	job.state = JOB_DONE;
	assert_int_equal(job_mark_published(&l->outbox, &job, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_RESULT), 0);
}

JOB_TEST(a_queue_that_is_gone_takes_its_publications_back)
{
	struct job announced = done(l, "u"), said_nothing = done(l, "u"), jobs[4], waits;
	struct job_message message = job_message_of(&announced);
	struct blob_id video = queued(l, "u");
	int64_t forgotten = -1;

	waits = get(l, &video);
	assert_int_equal(job_mark_published(&l->outbox, &announced, JOB_PUBLISH_RESULT, NULL), 0);
	assert_int_equal(job_mark_published(&l->outbox, &said_nothing, JOB_PUBLISH_RESULT, NULL),
			 0);
	assert_int_equal(job_mark_published(&l->outbox, &waits, JOB_PUBLISH_VIDEO, NULL), 0);
	assert_int_equal(job_mark_notified(&l->notice, &message, NULL), 0);
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 4), 0);

	assert_int_equal(job_forget_published(&l->outbox, JOB_PUBLISH_RESULT, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 1);
	assert_int_equal(list(l, JOB_PUBLISH_RESULT, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, said_nothing.video_fid.hex);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 0);

	assert_int_equal(job_forget_published(&l->outbox, JOB_PUBLISH_VIDEO, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 1);
	assert_int_equal(list(l, JOB_PUBLISH_VIDEO, jobs, 4), 1);
	assert_string_equal(jobs[0].video_fid.hex, video.hex);
	assert_int_equal(job_forget_published(&l->outbox, JOB_PUBLISH_VIDEO, &forgotten, NULL), 0);
	assert_int_equal(forgotten, 0);
}
