#include "unit/flow/outbox_fixture.h"

static int
send_video(struct fixture *f, const struct job *job, int64_t patience_ms)
{
	return outbox_send(&f->outbox, &f->broker.port, job, JOB_PUBLISH_VIDEO, patience_ms, NULL);
}

static void
each_kind_of_message_goes_to_its_queue_once(void **state)
{
	struct fixture *f = *state;
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(f);
	assert_int_equal(lease_oldest(f->jobs, &job), 0);
	assert_int_equal(job_finish(&f->jobs->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 0);
	queued(f);
	assert_int_equal(lease_oldest(f->jobs, &job), 0);
	assert_int_equal(job_fail(&f->jobs->life, &job.lease,
				  &(struct job_error){ "no_audio", "mute" }, NULL),
			 0);
	job = queued(f);
	assert_int_equal(round_now(f), 3);
	assert_string_equal(f->broker.queues[0], "mp3");
	assert_non_null(strstr(f->broker.bodies[0], mp3.hex));
	assert_string_equal(f->broker.queues[1], "failed");
	assert_non_null(strstr(f->broker.bodies[1], "no_audio"));
	assert_string_equal(f->broker.queues[2], "video");
	assert_non_null(strstr(f->broker.bodies[2], job.video_fid.hex));
	assert_int_equal(round_now(f), 0);
}

static void
a_broker_that_is_away_is_asked_once_per_kind_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	int published = -1;

	for (int i = 0; i < 5; i++)
		queued(f);
	set_result(&f->broker, ERR_UNAVAILABLE);
	assert_int_equal(relay_round(&f->config, &published, &e), ERR_UNAVAILABLE);
	assert_int_equal(e.code, ERR_UNAVAILABLE);
	assert_int_equal(published, 0);
	assert_int_equal(f->broker.refused, 1);
	set_result(&f->broker, 0);
	assert_int_equal(round_now(f), 5);
}

static void
a_message_that_is_taken_before_its_mark_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	f->broker.takes = f->jobs;
	assert_int_equal(send_video(f, &job, 0), 0);
	assert_int_equal(job_get(&f->jobs->life, &job.video_fid, &job, NULL), 0);
	assert_int_equal(job.state, JOB_LEASED);
	assert_int_equal(job.video_published_ms, 0);
}

static void
what_a_missing_queue_held_is_published_again(void **state)
{
	struct fixture *f = *state;
	struct blob_id mp3 = blob_id_new();
	struct job job;

	queued(f);
	assert_int_equal(lease_oldest(f->jobs, &job), 0);
	assert_int_equal(job_finish(&f->jobs->life, &job.lease,
				    &(struct job_result){ .mp3_fid = mp3 }, NULL),
			 0);
	job = queued(f);
	assert_int_equal(round_now(f), 2);
	assert_int_equal(outbox_queue_missing(&f->outbox, "video.dead", NULL), 0);
	assert_int_equal(round_now(f), 0);
	assert_int_equal(outbox_queue_missing(&f->outbox, "video", NULL), 0);
	assert_int_equal(round_now(f), 1);
	assert_string_equal(f->broker.queues[2], "video");
	assert_non_null(strstr(f->broker.bodies[2], job.video_fid.hex));
	assert_int_equal(outbox_queue_missing(&f->outbox, "mp3", NULL), 0);
	assert_int_equal(round_now(f), 1);
	assert_string_equal(f->broker.queues[3], "mp3");
}

static void
a_publish_that_was_late_is_not_marked_and_comes_again(void **state)
{
	struct fixture *f = *state;
	struct job job = queued(f);

	f->broker.slow_ms = 20;
	assert_int_equal(send_video(f, &job, 1), ERR_TIMEOUT);
	assert_int_equal(noted(&f->broker), 1);
	assert_int_equal(round_now(f), 1);
	assert_int_equal(round_now(f), 0);
}

static void
a_record_without_a_route_is_an_error_and_the_others_go_out(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_NONE;
	struct job job;
	int published;

	for (int i = 0; i < 2; i++) {
		queued(f);
		assert_int_equal(lease_oldest(f->jobs, &job), 0);
		assert_int_equal(
			i == 0 ? job_fail(&f->jobs->life, &job.lease,
					  &(struct job_error){ "no_audio", "mute" }, NULL)
			       : job_finish(&f->jobs->life, &job.lease,
					    &(struct job_result){ .mp3_fid = blob_id_new() }, NULL),
			0);
	}
	job = queued(f);
	f->routes[1] = job_route_video("video"); /* in place of failed */
	f->outbox.route_count = 2;
	assert_int_equal(relay_round(&f->config, &published, &e), ERR_INTERNAL);
	assert_non_null(strstr(e.text, "no route for job"));
	assert_int_equal(published, 2);
	assert_string_equal(f->broker.queues[0], "mp3");
	assert_string_equal(f->broker.queues[1], "video");
	assert_string_equal(f->broker.keys[1], job.video_fid.hex);
}

static void
a_queue_without_a_route_takes_nothing_back(void **state)
{
	struct fixture *f = *state;

	queued(f);
	assert_int_equal(round_now(f), 1);
	f->outbox.route_count = 2; /* as where only results are read */
	assert_int_equal(outbox_queue_missing(&f->outbox, "video", NULL), 0);
	assert_int_equal(outbox_queue_missing(&f->outbox, "", NULL), 0);
	f->outbox.route_count = 3;
	assert_int_equal(round_now(f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRY(each_kind_of_message_goes_to_its_queue_once),
		ENTRY(a_broker_that_is_away_is_asked_once_per_kind_and_loses_nothing),
		ENTRY(a_message_that_is_taken_before_its_mark_is_no_error),
		ENTRY(what_a_missing_queue_held_is_published_again),
		ENTRY(a_publish_that_was_late_is_not_marked_and_comes_again),
		ENTRY(a_record_without_a_route_is_an_error_and_the_others_go_out),
		ENTRY(a_queue_without_a_route_takes_nothing_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
