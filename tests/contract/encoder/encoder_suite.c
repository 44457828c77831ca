#include "contract/encoder/encoder_suite.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fake/bytes_blob.h"

static const struct media_spec mp3 = {
	.format = MEDIA_MP3, .sample_rate = 44100, .channels = 2, .bit_rate = 128000
};
#define ORDER(in, out, watch) (&(struct encode_order){ &(in)->port, &(out)->port, &mp3, watch })

struct subject {
	struct encoder *encoder;
	const void *media;
	size_t len;
};

static int
refuse_progress(void *arg, const struct encode_progress *p, struct err *e)
{
	int *calls = arg;

	assert_true(p->fraction >= -1 && p->fraction <= 1 && p->made_s >= 0);
	(*calls)++;
	return err_set(e, ERR_CONFLICT, "no more");
}

static void
media_becomes_sound_and_the_report_tells_its_size(void **state)
{
	const struct subject *s = *state;
	struct bytes_reader in = bytes_reader_over(s->media, s->len);
	struct bytes_writer out = bytes_writer_new();
	struct encode_report report = { 0 };
	struct job_error why = { "x", "x" };

	assert_int_equal(encoder_encode(s->encoder, ORDER(&in, &out, NULL), &report, &why, NULL),
			 0);
	assert_string_equal(why.code, "");
	assert_true(report.bytes_written > 0);
	assert_int_equal(report.bytes_written, out.bytes.len);
	assert_true(report.bytes_read > 0 && report.bytes_read == in.port.fetched);
	assert_true(report.samples > 0 && report.duration_s > 0);
	str_free(&out.bytes);
}

static void
an_empty_file_is_invalid_and_the_user_is_told(void **state)
{
	const struct subject *s = *state;
	struct bytes_reader in = bytes_reader_over("", 0);
	struct bytes_writer out = bytes_writer_new();
	struct encode_report report = { .samples = 77 };
	struct job_error why = { 0 };
	struct err e = ERR_NONE;

	assert_int_equal(encoder_encode(s->encoder, ORDER(&in, &out, NULL), &report, &why, &e),
			 ERR_INVALID);
	assert_string_equal(why.code, "empty");
	assert_string_not_equal(why.message, "");
	assert_int_equal(report.samples, 77);
	assert_int_equal(e.code, ERR_INVALID);
	str_free(&out.bytes);
}

static void
a_reader_that_fails_is_returned_as_it_is(void **state)
{
	const struct subject *s = *state;
	struct bytes_reader in = bytes_reader_over(s->media, s->len);
	struct bytes_writer out = bytes_writer_new();
	struct encode_report report;
	struct job_error why = { "x", "x" };

	in.fail = ERR_UNAVAILABLE;
	assert_int_equal(encoder_encode(s->encoder, ORDER(&in, &out, NULL), &report, &why, NULL),
			 ERR_UNAVAILABLE);
	assert_string_equal(why.code, "");
	str_free(&out.bytes);
}

static void
a_writer_that_fails_is_returned_as_it_is(void **state)
{
	const struct subject *s = *state;
	struct bytes_reader in = bytes_reader_over(s->media, s->len);
	struct bytes_writer out = bytes_writer_new();
	struct encode_report report;
	struct job_error why = { "x", "x" };

	out.fail = ERR_TIMEOUT;
	assert_int_equal(encoder_encode(s->encoder, ORDER(&in, &out, NULL), &report, &why, NULL),
			 ERR_TIMEOUT);
	assert_string_equal(why.code, "");
	str_free(&out.bytes);
}

static void
a_caller_that_has_enough_is_obeyed(void **state)
{
	const struct subject *s = *state;
	struct bytes_reader in = bytes_reader_over(s->media, s->len);
	struct bytes_writer out = bytes_writer_new();
	struct encode_report report;
	struct job_error why = { "x", "x" };
	int calls = 0;
	struct encode_watch watch = { refuse_progress, &calls };

	assert_int_equal(encoder_encode(s->encoder, ORDER(&in, &out, &watch), &report, &why, NULL),
			 ERR_CONFLICT);
	assert_int_equal(calls, 1);
	assert_string_equal(why.code, "");
	str_free(&out.bytes);
}

int
encoder_suite_run(struct encoder *encoder, const void *media, size_t len)
{
	struct subject s = { encoder, media, len };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(media_becomes_sound_and_the_report_tells_its_size, &s),
		cmocka_unit_test_prestate(an_empty_file_is_invalid_and_the_user_is_told, &s),
		cmocka_unit_test_prestate(a_reader_that_fails_is_returned_as_it_is, &s),
		cmocka_unit_test_prestate(a_writer_that_fails_is_returned_as_it_is, &s),
		cmocka_unit_test_prestate(a_caller_that_has_enough_is_obeyed, &s),
	};

	return cmocka_run_group_tests_name("encoder", tests, NULL, NULL);
}
