/* What a job asks for, and what it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "converter/convert.h"
#include "service/converter_world.h"

static void
a_job_gets_the_format_that_it_asks_for(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	job.spec = (struct media_spec){ .format = MEDIA_WAV, .sample_rate = 48000, .channels = 2 };
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "done");
	assert_string_equal(w->mp3s.blobs[0].meta.filename, "my film.wav");
	assert_string_equal(w->mp3s.blobs[0].meta.content_type, "audio/wav");
	assert_int_equal(encoder_fake_spec(w->converter.encoder).format, MEDIA_WAV);
	assert_int_equal(encoder_fake_spec(w->converter.encoder).sample_rate, 48000);
}

static void
what_the_encoder_found_reaches_the_job_and_its_message(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	job = world_job(w);
	assert_int_equal(job.warnings.count, 1);
	assert_int_equal(job.warnings.list[0].code, WARNING_GAP_FILLED);
	assert_int_equal(job.tracks.count, 1);
	assert_true(job.tracks.list[0].taken);
	assert_non_null(strstr(w->spoken.body, "\"warnings\": [{\"code\": \"gap_filled\""));
}

static void
a_format_that_this_build_does_not_know_fails_in_words(void **state)
{
	SCOPED(world_free_p) struct world *w = world_new();
	struct job job = world_lease(w);

	(void)state;
	job.spec = (struct media_spec){ .format = MEDIA_UNKNOWN };
	assert_int_equal(convert_job(&w->converter, &job), CONVERT_ENDED);
	assert_string_equal(w->result, "failed");
	assert_string_equal(world_job(w).error.code, "unsupported_format");
	assert_int_equal(encoder_fake_begun(w->converter.encoder), 0);
	assert_int_equal(w->mp3s.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_gets_the_format_that_it_asks_for),
		cmocka_unit_test(what_the_encoder_found_reaches_the_job_and_its_message),
		cmocka_unit_test(a_format_that_this_build_does_not_know_fails_in_words),
	};

	return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
