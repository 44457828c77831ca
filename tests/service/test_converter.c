#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "converter/convert.h"
#include "converter/permit.h"
#include "service/converter_world.h"

static void
a_video_becomes_an_mp3_that_its_owner_is_told_of(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "done");
	assert_int_equal(w->mp3s.count, 1);
	assert_string_equal(w->mp3s.blobs[0].meta.owner, "user@example.org");
	assert_string_equal(w->mp3s.blobs[0].meta.filename, "my film.mp3");
	assert_string_equal(w->mp3s.blobs[0].meta.content_type, "audio/mpeg");
	assert_true(blob_id_equal(&w->mp3s.blobs[0].meta.video_fid, &w->video));
	assert_int_equal(world_job(w).state, JOB_DONE);
	assert_string_equal(world_job(w).mp3_fid.hex, w->mp3s.blobs[0].id.hex);
	assert_int_equal(w->spoken.published, 1);
	assert_string_equal(w->spoken.queue, "mp3");
	assert_non_null(strstr(w->spoken.body, w->mp3s.blobs[0].id.hex));
	assert_true(world_job(w).result_published_ms > 0);
}

static void
what_can_never_work_fails_at_once_with_its_words(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job_error why = { "no_audio", "the file has no sound track" };
	struct job job = world_lease(w);

	(void)state;
	encoder_fake_fail(w->converter.encoder, ERR_INVALID, &why);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "failed");
	assert_int_equal(world_job(w).state, JOB_FAILED);
	assert_string_equal(world_job(w).error.code, "no_audio");
	assert_string_equal(w->spoken.queue, "failed");
	assert_non_null(strstr(w->spoken.body, "the file has no sound track"));
	assert_int_equal(w->mp3s.count, 0);
}

static void
a_crash_is_tried_again_later(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job_error why = { "worker_crashed", "the converter could not handle this file" };
	struct job job = world_lease(w);

	(void)state;
	encoder_fake_fail(w->converter.encoder, ERR_INTERNAL, &why);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "retry");
	assert_int_equal(world_job(w).state, JOB_QUEUED);
	assert_int_equal(world_job(w).attempts, 1);
	assert_true(world_job(w).not_before_ms > world_job(w).updated_ms);
	assert_int_equal(w->spoken.published, 0);
}

static void
the_last_attempt_that_crashes_fails_the_job(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job_error why = { "worker_crashed", "the converter could not handle this file" };
	struct job job = world_lease(w);

	(void)state;
	job.attempts = 5;
	encoder_fake_fail(w->converter.encoder, ERR_INTERNAL, &why);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(world_job(w).state, JOB_FAILED);
	assert_string_equal(world_job(w).error.code, "worker_crashed");
}

static void
a_job_that_ends_converters_is_given_up(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	job.attempts = 6; /* five leases ran out with nobody left to record an end */
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(world_job(w).state, JOB_FAILED);
	assert_string_equal(world_job(w).error.code, "gave_up");
	assert_int_equal(w->mp3s.count, 0);
}

static void
a_server_that_is_away_is_no_attempt(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	w->videos.fail = ERR_UNAVAILABLE;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_SERVER_LOST);
	assert_string_equal(w->result, "given_back");
	assert_int_equal(world_job(w).state, JOB_QUEUED);
	assert_int_equal(world_job(w).attempts, 0);
	assert_int_equal(w->mp3s.count, 0);
}

static void
a_server_lost_in_mid_conversion_is_no_attempt(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	encoder_fake_fail(w->converter.encoder, ERR_TIMEOUT, NULL);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_SERVER_LOST);
	assert_int_equal(world_job(w).attempts, 0);
}

static void
a_video_that_is_gone_fails_the_job(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	w->videos.count = 0;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(world_job(w).error.code, "video_missing");
	assert_string_equal(w->spoken.queue, "failed");
}

static void
a_ledger_that_is_away_for_a_moment_still_learns_of_the_end(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	job_fake_break_nth(w->ledger, 2, ERR_UNAVAILABLE);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(world_job(w).state, JOB_DONE);
	assert_int_equal(encoder_fake_begun(w->converter.encoder), 1);
}

static void
a_lost_lease_writes_nothing(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	w->converter.lease_ms = 1;
	encoder_fake_hold(w->converter.encoder, true);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "lost");
	assert_int_equal(w->mp3s.count, 0);
	assert_int_equal(w->spoken.published, 0);
}

static void
a_stop_gives_the_job_back_uncounted(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	encoder_fake_hold(w->converter.encoder, true);
	atomic_store(&w->hand_back, true);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "given_back");
	assert_int_equal(world_job(w).state, JOB_QUEUED);
	assert_int_equal(world_job(w).attempts, 0);
	assert_string_equal(world_job(w).error.code, "stopped");
	assert_string_equal(world_job(w).error.message,
			    "the conversion was stopped before its end");
}

/* Its worker was told to stop: by somebody, or by whoever stops all of a service's processes. */
static struct job
job_of_stopped_worker(bool daemon_too)
{
	static const struct job_error why = { "stopped", "the worker's own words" };
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);
	struct stop stop;

	assert_int_equal(stop_init(&stop, NULL), 0);
	if (daemon_too)
		stop_request(&stop);
	w->converter.stop = &stop;
	encoder_fake_fail(w->converter.encoder, ERR_UNAVAILABLE, &why);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, daemon_too ? "given_back" : "retry");
	stop_fini(&stop);
	return world_job(w);
}

static void
a_worker_told_to_stop_is_an_attempt_unless_its_daemon_was_too(void **state)
{
	struct job alone = job_of_stopped_worker(false), both = job_of_stopped_worker(true);

	(void)state;
	assert_int_equal(alone.state, JOB_QUEUED);
	assert_int_equal(alone.attempts, 1);
	assert_string_equal(alone.error.code, "stopped");
	assert_int_equal(both.state, JOB_QUEUED);
	assert_int_equal(both.attempts, 0);
	assert_string_equal(both.error.code, "stopped");
}

static void
a_broker_that_is_away_leaves_the_result_to_the_relay(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);
	int published;

	(void)state;
	w->spoken.fail_publish = ERR_UNAVAILABLE;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(world_job(w).state, JOB_DONE);
	assert_int_equal(world_job(w).result_published_ms, 0);
	w->spoken.fail_publish = 0;
	assert_int_equal(outbox_send_due(&w->outbox, &w->spoken.publisher, NULL, &published, NULL),
			 0);
	assert_int_equal(published, 1);
	assert_string_equal(w->spoken.queue, "mp3");
}

static const char *
message_for(const struct world *w, char *to, size_t size)
{
	(void)snprintf(to, size,
		       "{\"video_fid\": \"%s\", \"mp3_fid\": null, \"username\": \"u@x\"}",
		       w->video.hex);
	return to;
}

static void
a_message_of_msgqs_gateway_gets_a_job(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	char text[256];
	struct job job;

	(void)state;
	assert_int_equal(world_take(w, message_for(w, text, sizeof text), &job), PERMIT_JOB);
	assert_string_equal(job.video_fid.hex, w->video.hex);
	assert_string_equal(job.username, "u@x");
	assert_int_equal(job.attempts, 1);
	assert_int_equal(w->spoken.acked, 1);
}

static void
a_message_without_a_job_to_do_is_dropped(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	char text[256];
	struct job job;

	(void)state;
	(void)world_lease(w);
	assert_int_equal(world_take(w, message_for(w, text, sizeof text), &job), PERMIT_NOTHING);
	assert_int_equal(w->spoken.acked, 1);
}

static void
an_unreadable_message_is_buried_with_its_reason(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job;

	(void)state;
	assert_int_equal(world_take(w, "not json", &job), PERMIT_NOTHING);
	assert_int_equal(world_take(w, "{\"username\": \"u\"}", &job), PERMIT_NOTHING);
	assert_int_equal(w->spoken.buried, 2);
	assert_non_null(strstr(w->spoken.reason, "video_fid"));
	assert_int_equal(w->spoken.acked, 0);
}

static void
a_message_goes_back_while_the_ledger_is_away(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	char text[256];
	struct job job;

	(void)state;
	job_fake_break(w->ledger, ERR_UNAVAILABLE);
	assert_int_equal(world_take(w, message_for(w, text, sizeof text), &job),
			 PERMIT_SERVER_LOST);
	assert_int_equal(w->spoken.requeued, 1);
	assert_int_equal(w->spoken.acked, 0);
}

static void
in_message_order_a_message_means_its_own_job(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job other = { .video_fid = blob_id_new(), .username = "a", .state = JOB_QUEUED };
	char text[256];
	struct job job;

	(void)state;
	assert_int_equal(job_create(w->converter.jobs, &other, NULL), 0);
	w->converter.order = CONVERTER_ORDER_MESSAGE;
	assert_int_equal(world_take(w, message_for(w, text, sizeof text), &job), PERMIT_JOB);
	assert_string_equal(job.video_fid.hex, w->video.hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_video_becomes_an_mp3_that_its_owner_is_told_of),
		cmocka_unit_test(what_can_never_work_fails_at_once_with_its_words),
		cmocka_unit_test(a_crash_is_tried_again_later),
		cmocka_unit_test(the_last_attempt_that_crashes_fails_the_job),
		cmocka_unit_test(a_job_that_ends_converters_is_given_up),
		cmocka_unit_test(a_server_that_is_away_is_no_attempt),
		cmocka_unit_test(a_server_lost_in_mid_conversion_is_no_attempt),
		cmocka_unit_test(a_video_that_is_gone_fails_the_job),
		cmocka_unit_test(a_ledger_that_is_away_for_a_moment_still_learns_of_the_end),
		cmocka_unit_test(a_lost_lease_writes_nothing),
		cmocka_unit_test(a_stop_gives_the_job_back_uncounted),
		cmocka_unit_test(a_worker_told_to_stop_is_an_attempt_unless_its_daemon_was_too),
		cmocka_unit_test(a_broker_that_is_away_leaves_the_result_to_the_relay),
		cmocka_unit_test(a_message_of_msgqs_gateway_gets_a_job),
		cmocka_unit_test(a_message_without_a_job_to_do_is_dropped),
		cmocka_unit_test(an_unreadable_message_is_buried_with_its_reason),
		cmocka_unit_test(a_message_goes_back_while_the_ledger_is_away),
		cmocka_unit_test(in_message_order_a_message_means_its_own_job),
	};

	return cmocka_run_group_tests_name("converter", tests, NULL, NULL);
}
