/* Which output of a job counts, when its converter died or lost its lease. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "converter/convert.h"
#include "service/converter_world.h"

static void
an_output_that_is_there_is_adopted_without_converting(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id earlier;
	struct job job = world_lease_again(w, &earlier);

	(void)state;
	(void)world_shelve(&w->mp3s, "made before", &w->video);
	w->mp3s.blobs[0].id = earlier;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(encoder_fake_begun(w->converter.encoder), 0);
	assert_string_equal(world_job(w).mp3_fid.hex, earlier.hex);
	assert_int_equal(w->mp3s.count, 1);
}

static void
who_loses_the_race_adopts_the_winners_output(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id earlier;
	struct job job = world_lease_again(w, &earlier);

	(void)state;
	w->mp3s.rival = earlier;
	w->mp3s.one_per_video = true;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(w->mp3s.count, 1);
	assert_memory_equal(w->mp3s.blobs[0].bytes, "rival", 5);
	assert_string_equal(world_job(w).mp3_fid.hex, w->mp3s.blobs[0].id.hex);
}

static void
what_an_earlier_attempt_made_too_late_goes_with_the_record(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct blob_id earlier;
	struct job job = world_lease_again(w, &earlier);

	(void)state;
	w->mp3s.rival = earlier;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_int_equal(w->mp3s.count, 1);
	assert_string_equal(w->mp3s.blobs[0].id.hex, job.lease.output.hex);
	assert_string_equal(world_job(w).mp3_fid.hex, job.lease.output.hex);
}

static void
an_output_that_the_ledger_does_not_count_goes(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);
	struct job_message msgqs = { .video_fid = w->video, .mp3_fid = blob_id_new() };

	(void)state;
	assert_int_equal(job_mark_notified(&w->ledger->notice, &msgqs, NULL), 0);
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "not_recorded");
	assert_int_equal(w->mp3s.count, 0);
	assert_string_equal(world_job(w).mp3_fid.hex, msgqs.mp3_fid.hex);
}

/* Its next attempt finds the output and keeps it. */
static void
an_output_of_a_job_that_is_not_over_waits_to_be_adopted(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	const struct job_lease_terms terms = { "test/2", 60000 };
	struct job first = world_lease(w), second;

	(void)state;
	assert_int_equal(job_hand_back(w->converter.jobs, &first.lease, NULL, NULL), 0);
	assert_int_equal(job_lease_one(w->converter.jobs, &terms, &w->video, &second, NULL), 0);
	assert_int_equal(convert_job(&w->converter, &first), CONVERT_ENDED);
	assert_string_equal(w->result, "not_recorded");
	assert_int_equal(w->mp3s.count, 1);
	assert_int_equal(convert_job(&w->converter, &second), CONVERT_ENDED);
	assert_int_equal(encoder_fake_begun(w->converter.encoder), 1);
	assert_int_equal(w->mp3s.count, 1);
	assert_string_equal(world_job(w).mp3_fid.hex, first.lease.output.hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_output_that_is_there_is_adopted_without_converting),
		cmocka_unit_test(who_loses_the_race_adopts_the_winners_output),
		cmocka_unit_test(what_an_earlier_attempt_made_too_late_goes_with_the_record),
		cmocka_unit_test(an_output_that_the_ledger_does_not_count_goes),
		cmocka_unit_test(an_output_of_a_job_that_is_not_over_waits_to_be_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
