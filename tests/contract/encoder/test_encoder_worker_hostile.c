/* A worker that a hostile file has taken over harms its own job and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "adapter/worker_process/worker_process.h"
#include "base/clock.h"
#include "fake/bytes_blob.h"
#include "support/hostile_worker.h"
#include "wire/worker/protocol.h"

#define DEADLINE_MS 400

struct outcome {
	int result;
	struct job_error why;
	struct err e;
	int64_t took_ms, written;
};

static struct outcome
suffer(enum hostility how)
{
	static const char input[100000];
	struct encoder_worker_config config = {
		.program = getenv("TONEARM_TEST_HOSTILE_WORKER"),
		.cpu_seconds = how,
		.job_timeout_ms =
			how == HOSTILE_SILENT || how == HOSTILE_DEAF ? DEADLINE_MS : 30000,
		.max_duration_ms = 2000,
	};
	SCOPED(encoder_close_p) struct encoder *encoder = NULL;
	struct bytes_reader in = bytes_reader_over(input, sizeof input);
	struct bytes_writer out = bytes_writer_new();
	struct media_spec spec = { 0 };
	struct encode_order order = { &in.port, &out.port, &spec, NULL };
	struct encode_report report;
	struct outcome o = { 0 };
	int64_t start = now_monotonic_ms();

	assert_non_null(config.program);
	assert_int_equal(media_spec_settle(&spec, NULL), 0);
	assert_int_equal(encoder_worker_new(&config, &encoder, NULL), 0);
	o.result = encoder_encode(encoder, &order, &report, &o.why, &o.e);
	o.took_ms = now_monotonic_ms() - start;
	o.written = out.port.length;
	str_free(&out.bytes);
	/* Every child was reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return o;
}

static void
expect_crash_verdict(enum hostility how)
{
	struct outcome o = suffer(how);

	assert_int_equal(o.result, ERR_INTERNAL);
	assert_string_equal(o.why.code, "worker_crashed");
	assert_string_not_equal(o.why.message, "");
}

static void
a_worker_has_its_socket_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(suffer(HOSTILE_NOTHING).result, 0);
}

static void
garbage_on_the_socket_ends_the_job(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_GARBAGE);
}

static void
a_length_past_the_limit_is_not_believed(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_HUGE_LENGTH);
}

static void
reads_out_of_range_are_refused(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_READ_BEHIND_END);
	expect_crash_verdict(HOSTILE_READ_TOO_MUCH);
}

static void
a_patch_out_of_reach_is_refused(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_PATCH_OUT_OF_REACH);
	expect_crash_verdict(HOSTILE_PATCH_BESIDE_THE_HOLD);
}

static void
a_hold_is_one_and_small_and_comes_early(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_HOLD_TOO_MUCH);
	expect_crash_verdict(HOSTILE_HOLD_TWICE);
	expect_crash_verdict(HOSTILE_HOLD_TOO_LATE);
}

static void
a_report_without_output_is_not_believed(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_DONE_WITHOUT_OUTPUT);
}

static void
a_report_followed_by_a_crash_is_not_believed(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_DONE_THEN_CRASH);
}

static void
endless_output_stops_at_the_limit(void **state)
{
	struct outcome o = suffer(HOSTILE_ENDLESS_OUTPUT);

	(void)state;
	assert_int_equal(o.result, ERR_INTERNAL);
	assert_true(o.written < WORKER_TAG_MAX + 400 * 1024);
}

static void
a_worker_that_hangs_is_killed_at_the_deadline(void **state)
{
	enum hostility hangs[] = { HOSTILE_SILENT, HOSTILE_DEAF };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hangs); i++) {
		struct outcome o = suffer(hangs[i]);
		assert_int_equal(o.result, ERR_TIMEOUT);
		assert_string_equal(o.why.code, "timeout");
		assert_in_range(o.took_ms, DEADLINE_MS - 1, DEADLINE_MS + 5000);
	}
}

static void
a_worker_that_hangs_up_and_stays_is_killed(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_HANGS_UP);
}

static void
a_crash_and_an_early_end_are_the_workers_fault(void **state)
{
	(void)state;
	expect_crash_verdict(HOSTILE_CRASH);
	expect_crash_verdict(HOSTILE_LEAVES);
}

static void
a_worker_that_the_kernel_killed_needed_too_much_memory(void **state)
{
	struct outcome o = suffer(HOSTILE_KILLED);

	(void)state;
	assert_int_equal(o.result, ERR_NO_MEMORY);
	assert_string_equal(o.why.code, "out_of_memory");
}

static void
a_worker_out_of_cpu_time_needed_too_much_of_it(void **state)
{
	struct outcome o = suffer(HOSTILE_OUT_OF_CPU);

	(void)state;
	assert_int_equal(o.result, ERR_TIMEOUT);
	assert_string_equal(o.why.code, "cpu_time");
}

static void
a_worker_that_was_told_to_stop_is_no_crash(void **state)
{
	struct outcome o = suffer(HOSTILE_STOPPED);

	(void)state;
	assert_int_equal(o.result, ERR_UNAVAILABLE);
	assert_string_equal(o.why.code, "stopped");
	assert_string_equal(o.why.message, "the conversion was stopped before its end");
}

static void
a_workers_words_reach_the_log_only_and_harmless(void **state)
{
	struct outcome o = suffer(HOSTILE_WORDS);

	(void)state;
	assert_int_equal(o.result, ERR_CORRUPT);
	assert_string_equal(o.why.message, "the sound track is damaged");
	assert_null(strchr(o.e.text, '\n'));
	assert_null(strchr(o.e.text, '\x1b'));
}

static void
a_program_that_is_not_there_is_found_out_at_once(void **state)
{
	struct encoder_worker_config config = { .program = "/nonexistent/converter-worker" };
	struct encoder *encoder = NULL;
	struct err e = ERR_NONE;

	(void)state;
	assert_int_equal(encoder_worker_new(&config, &encoder, &e), ERR_INVALID);
	assert_null(encoder);
	assert_non_null(strstr(e.text, "converter-worker"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_has_its_socket_and_nothing_else),
		cmocka_unit_test(garbage_on_the_socket_ends_the_job),
		cmocka_unit_test(a_length_past_the_limit_is_not_believed),
		cmocka_unit_test(reads_out_of_range_are_refused),
		cmocka_unit_test(a_patch_out_of_reach_is_refused),
		cmocka_unit_test(a_hold_is_one_and_small_and_comes_early),
		cmocka_unit_test(a_report_without_output_is_not_believed),
		cmocka_unit_test(a_report_followed_by_a_crash_is_not_believed),
		cmocka_unit_test(endless_output_stops_at_the_limit),
		cmocka_unit_test(a_worker_that_hangs_is_killed_at_the_deadline),
		cmocka_unit_test(a_worker_that_hangs_up_and_stays_is_killed),
		cmocka_unit_test(a_crash_and_an_early_end_are_the_workers_fault),
		cmocka_unit_test(a_worker_that_the_kernel_killed_needed_too_much_memory),
		cmocka_unit_test(a_worker_out_of_cpu_time_needed_too_much_of_it),
		cmocka_unit_test(a_worker_that_was_told_to_stop_is_no_crash),
		cmocka_unit_test(a_workers_words_reach_the_log_only_and_harmless),
		cmocka_unit_test(a_program_that_is_not_there_is_found_out_at_once),
	};

	return cmocka_run_group_tests_name("encoder_worker_hostile", tests, NULL, NULL);
}
