#include "contract/job/job_suite_private.h"

#include <stdio.h>

static const struct job_source film = {
	.filename = "film.mp4", .content_type = "video/mp4", .bytes = 5368709120, .duration_s = 12.5
};

JOB_TEST(a_new_job_is_read_back_as_it_was_written)
{
	struct job job = {
		.video_fid = blob_id_new(), .username = "a@b.c", .state = JOB_QUEUED, .source = film
	};
	struct job got;

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	got = get(l, &job.video_fid);
	assert_string_equal(got.video_fid.hex, job.video_fid.hex);
	assert_string_equal(got.username, "a@b.c");
	assert_int_equal(got.state, JOB_QUEUED);
	assert_string_equal(got.source.filename, "film.mp4");
	assert_string_equal(got.source.content_type, "video/mp4");
	assert_int_equal(got.source.bytes, 5368709120);
	assert_true(got.source.duration_s > 12.4 && got.source.duration_s < 12.6);
	assert_int_equal(got.attempts, 0);
	assert_true(got.created_ms > 0);
	assert_int_equal(got.updated_ms, got.created_ms);
	assert_int_equal(got.video_published_ms, 0);
	assert_true(blob_id_is_none(&got.mp3_fid));
}

static void
expect_spec(const struct job *job, enum media_format format, int rate, int channels, int bit_rate)
{
	assert_int_equal(job->spec.format, format);
	assert_int_equal(job->spec.sample_rate, rate);
	assert_int_equal(job->spec.channels, channels);
	assert_int_equal(job->spec.bit_rate, bit_rate);
}

JOB_TEST(what_is_wanted_is_leased_with_the_job)
{
	struct job job = { .video_fid = blob_id_new(),
			   .username = "u",
			   .state = JOB_QUEUED,
			   .spec = { .format = MEDIA_WAV, .sample_rate = 48000, .channels = 1 } };

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	job = get(l, &job.video_fid);
	expect_spec(&job, MEDIA_WAV, 48000, 1, 0);
	job = lease(l);
	expect_spec(&job, MEDIA_WAV, 48000, 1, 0);
}

JOB_TEST(options_are_leased_with_the_job_and_may_come_behind_the_file)
{
	struct media_spec wanted = { .strict = true }, none = { .sample_rate = 44101 };
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };

	job.spec.drop_gaps = true;
	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &job.source, &none, NULL),
			 ERR_INVALID);
	assert_int_equal(get(l, &job.video_fid).state, JOB_UPLOADING);
	assert_true(get(l, &job.video_fid).spec.drop_gaps);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &job.source, &wanted, NULL), 0);
	job = lease(l);
	expect_spec(&job, MEDIA_MP3, 44100, 2, 128000);
	assert_true(job.spec.strict);
	assert_false(job.spec.drop_gaps);
}

JOB_TEST(who_asks_for_nothing_gets_the_mp3_that_msgq_makes)
{
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_QUEUED };
	struct job_message message = { .video_fid = blob_id_new(), .username = "u" };

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	job = get(l, &job.video_fid);
	expect_spec(&job, MEDIA_MP3, 44100, 2, 128000);
	assert_int_equal(job_adopt(&l->life, &message, NULL), 0);
	job = get(l, &message.video_fid);
	expect_spec(&job, MEDIA_MP3, 44100, 2, 128000);
}

JOB_TEST(a_job_for_what_cannot_be_made_is_refused)
{
	struct job job = { .video_fid = blob_id_new(),
			   .username = "u",
			   .state = JOB_QUEUED,
			   .spec = { .format = MEDIA_UNKNOWN } };

	assert_int_equal(job_create(&l->life, &job, NULL), ERR_INVALID);
	assert_int_equal(job_get(&l->life, &job.video_fid, &job, NULL), ERR_NOT_FOUND);
}

JOB_TEST(text_that_looks_like_an_operator_stays_text)
{
	static const char *const texts[] = {
		"$x",
		"$$NOW",
		"$$REMOVE",
		"a.b",
		"{",
		"]",
		"{\"$gt\":\"\"}",
		"o'brien \"q\"",
		"\xc3\xbc\xf0\x9f\x8e\xb5",
		"$literal",
		"$username",
		"\\",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct job job = { .video_fid = blob_id_new(), .state = JOB_UPLOADING }, got;
		struct job_error why = { 0 };

		snprintf(job.username, sizeof job.username, "%s", texts[i]);
		snprintf(job.source.filename, sizeof job.source.filename, "%s", texts[i]);
		snprintf(why.code, sizeof why.code, "%s", texts[i]);
		snprintf(why.message, sizeof why.message, "%s", texts[i]);
		assert_int_equal(job_create(&l->life, &job, NULL), 0);
		assert_int_equal(job_enqueue(&l->life, &job.video_fid, &job.source, NULL, NULL), 0);
		assert_int_equal(lease_fairest(l, texts[i], &got), 0);
		assert_string_equal(got.username, texts[i]);
		assert_string_equal(got.lease.owner, texts[i]);
		assert_int_equal(job_fail(&l->life, &got.lease, &why, NULL), 0);
		got = get(l, &job.video_fid);
		assert_string_equal(got.source.filename, texts[i]);
		assert_string_equal(got.error.code, texts[i]);
		assert_string_equal(got.error.message, texts[i]);
	}
}

JOB_TEST(text_that_is_not_utf8_is_stored_legibly)
{
	struct job_error why = { "bad", "cut \xc3" };
	struct job_source source = { .filename = "\xff\xfe.mp4" };
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };
	struct job got;

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &source, NULL, NULL), 0);
	got = lease(l);
	assert_int_equal(job_fail(&l->life, &got.lease, &why, NULL), 0);
	got = get(l, &job.video_fid);
	assert_string_equal(got.source.filename, "??.mp4");
	assert_string_equal(got.error.message, "cut ?");
	snprintf(job.username, sizeof job.username, "\xff");
	job.video_fid = blob_id_new();
	assert_int_equal(job_create(&l->life, &job, NULL), ERR_INVALID);
}

JOB_TEST(a_second_job_for_a_video_is_a_conflict)
{
	struct blob_id video = queued(l, "first");
	struct job job = { .video_fid = video, .username = "second", .state = JOB_UPLOADING };
	struct err e = ERR_NONE;

	assert_int_equal(job_create(&l->life, &job, &e), ERR_CONFLICT);
	assert_int_equal(e.code, ERR_CONFLICT);
	job = get(l, &video);
	assert_string_equal(job.username, "first");
	assert_int_equal(job.state, JOB_QUEUED);
}

JOB_TEST(a_job_without_a_user_or_in_a_later_state_is_refused)
{
	struct job job = { .video_fid = blob_id_new(), .state = JOB_QUEUED }, got;

	assert_int_equal(job_create(&l->life, &job, NULL), ERR_INVALID);
	snprintf(job.username, sizeof job.username, "u");
	job.state = JOB_DONE;
	assert_int_equal(job_create(&l->life, &job, NULL), ERR_INVALID);
	assert_int_equal(job_get(&l->life, &job.video_fid, &got, NULL), ERR_NOT_FOUND);
	job.state = JOB_QUEUED;
	job.video_fid = (struct blob_id){ "" };
	assert_int_equal(job_create(&l->life, &job, NULL), ERR_INVALID);
}

JOB_TEST(an_unknown_job_is_not_found_and_leaves_the_result_alone)
{
	struct blob_id unknown = blob_id_new(), none = { "" };
	struct job job = { .attempts = 42 };
	struct err e = ERR_NONE;

	queued(l, "u");
	assert_int_equal(job_get(&l->life, &unknown, &job, &e), ERR_NOT_FOUND);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(job_find_by_mp3(&l->desk, &unknown, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_find_by_mp3(&l->desk, &none, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_get(&l->life, &none, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(lease_one(l, &unknown, &job), ERR_NOT_FOUND);
	assert_int_equal(job_enqueue(&l->life, &unknown, &film, NULL, NULL), ERR_NOT_FOUND);
	assert_int_equal(job.attempts, 42);
}

JOB_TEST(an_upload_waits_until_it_is_enqueued)
{
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };
	struct job got;

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(lease_fairest(l, "o", &got), ERR_NOT_FOUND);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 0);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &film, NULL, NULL), 0);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &film, NULL, NULL), 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 1);
	got = lease(l);
	assert_string_equal(got.video_fid.hex, job.video_fid.hex);
	assert_int_equal(got.source.bytes, film.bytes);
	assert_int_equal(job_enqueue(&l->life, &job.video_fid, &film, NULL, NULL), 0);
	assert_int_equal(get(l, &job.video_fid).state, JOB_LEASED);
}

JOB_TEST(only_an_unfinished_upload_is_discarded)
{
	struct job job = { .video_fid = blob_id_new(), .username = "u", .state = JOB_UPLOADING };
	struct blob_id kept = queued(l, "u"), unknown = blob_id_new();

	assert_int_equal(job_create(&l->life, &job, NULL), 0);
	assert_int_equal(job_discard(&l->life, &job.video_fid, NULL), 0);
	assert_int_equal(job_get(&l->life, &job.video_fid, &job, NULL), ERR_NOT_FOUND);
	assert_int_equal(job_discard(&l->life, &unknown, NULL), 0);
	assert_int_equal(job_discard(&l->life, &kept, NULL), ERR_CONFLICT);
	assert_int_equal(get(l, &kept).state, JOB_QUEUED);
}

JOB_TEST(a_message_without_a_job_gets_one_that_counts_as_published)
{
	struct job_message message = { .video_fid = blob_id_new(), .username = "$msgq" };
	struct job job;

	assert_int_equal(job_adopt(&l->life, &message, NULL), 0);
	assert_int_equal(unpublished(l, JOB_PUBLISH_VIDEO), 0);
	job = lease(l);
	assert_string_equal(job.video_fid.hex, message.video_fid.hex);
	assert_string_equal(job.username, "$msgq");
	assert_true(job.video_published_ms > 0);
	assert_int_equal(job_adopt(&l->life, &message, NULL), 0);
	assert_int_equal(get(l, &message.video_fid).state, JOB_LEASED);
}

JOB_TEST(counts_tell_the_states_and_the_oldest_that_waits)
{
	struct job uploading = { .video_fid = blob_id_new(), .username = "u" };
	struct job_counts counts;
	struct job job;

	assert_int_equal(job_count(&l->desk, &counts, NULL), 0);
	assert_int_equal(counts.oldest_queued_ms, 0);
	for (int i = 0; i < 4; i++)
		queued(l, "u");
	assert_int_equal(job_create(&l->life, &uploading, NULL), 0);
	job = lease(l);
	assert_int_equal(
		job_finish(&l->life, &job.lease,
			   &(struct job_result){ .mp3_fid = { "65f000000000000000000001" } }, NULL),
		0);
	lease(l);
	advance(5000);
	assert_int_equal(job_count(&l->desk, &counts, NULL), 0);
	assert_int_equal(counts.by_state[JOB_UPLOADING], 1);
	assert_int_equal(counts.by_state[JOB_QUEUED], 2);
	assert_int_equal(counts.by_state[JOB_LEASED], 1);
	assert_int_equal(counts.by_state[JOB_DONE], 1);
	assert_int_equal(counts.by_state[JOB_FAILED], 0);
	assert_in_range(counts.oldest_queued_ms, 5000, 120000);
}
