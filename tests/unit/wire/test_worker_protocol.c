#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "wire/worker/protocol.h"

static int
read_back(enum worker_message type, uint32_t len, uint64_t offset, enum worker_direction direction,
	  struct worker_header *ret)
{
	uint8_t bytes[WORKER_HEADER_BYTES];

	worker_header_write(&(struct worker_header){ type, len, offset }, bytes);
	return worker_header_read(bytes, direction, ret, NULL);
}

static void
a_header_survives_the_way_there(void **state)
{
	struct worker_header h = { 0 };

	(void)state;
	assert_int_equal(read_back(WORKER_READ, 4, INT64_MAX, WORKER_TO_PARENT, &h), 0);
	assert_int_equal(h.type, WORKER_READ);
	assert_int_equal(h.len, 4);
	assert_true(h.offset == INT64_MAX);
}

static void
a_message_going_the_wrong_way_is_refused(void **state)
{
	struct worker_header h = { .len = 77 };

	(void)state;
	assert_int_equal(read_back(WORKER_WRITE, 1, 0, WORKER_TO_WORKER, &h), ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_DATA, 1, 0, WORKER_TO_PARENT, &h), ERR_CORRUPT);
	assert_int_equal(h.len, 77);
}

static void
lengths_outside_a_types_range_are_refused(void **state)
{
	struct worker_header h;

	(void)state;
	assert_int_equal(read_back(WORKER_WRITE, 0, 0, WORKER_TO_PARENT, &h), ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_WRITE, WORKER_PAYLOAD_MAX, 0, WORKER_TO_PARENT, &h), 0);
	assert_int_equal(read_back(WORKER_WRITE, WORKER_PAYLOAD_MAX + 1, 0, WORKER_TO_PARENT, &h),
			 ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_PATCH, WORKER_HOLD_MAX + 1, 0, WORKER_TO_PARENT, &h),
			 ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_READ, 5, 0, WORKER_TO_PARENT, &h), ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_HOLD, 4, 0, WORKER_TO_PARENT, &h), 0);
	assert_int_equal(read_back(WORKER_HOLD, 5, 0, WORKER_TO_PARENT, &h), ERR_CORRUPT);
}

static void
offsets_are_refused_where_none_belongs_or_past_the_sign(void **state)
{
	struct worker_header h;

	(void)state;
	assert_int_equal(read_back(WORKER_WRITE, 1, 1, WORKER_TO_PARENT, &h), ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_HOLD, 4, 1, WORKER_TO_PARENT, &h), ERR_CORRUPT);
	assert_int_equal(read_back(WORKER_READ, 4, UINT64_C(1) << 63, WORKER_TO_PARENT, &h),
			 ERR_CORRUPT);
}

static void
unknown_types_are_refused(void **state)
{
	uint8_t bytes[WORKER_HEADER_BYTES] = { 0 };
	struct worker_header h;

	(void)state;
	for (int type = 0; type < 256; type++) {
		bytes[1] = (uint8_t)type;
		assert_int_equal(worker_header_read(bytes, WORKER_TO_PARENT, &h, NULL),
				 ERR_CORRUPT);
	}
}

static void
a_start_survives_and_nonsense_in_it_does_not(void **state)
{
	struct worker_start start = {
		WORKER_PROTOCOL_VERSION,
		{ .format = MEDIA_MP3, .sample_rate = 44100, .channels = 2, .bit_rate = 128000 },
		12345,
		99,
		4
	};
	uint8_t bytes[WORKER_START_BYTES];
	struct worker_start got;

	(void)state;
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), 0);
	assert_int_equal(got.spec.format, MEDIA_MP3);
	assert_int_equal(got.spec.sample_rate, 44100);
	assert_int_equal(got.spec.channels, 2);
	assert_int_equal(got.spec.bit_rate, 128000);
	assert_int_equal(got.input_bytes, 12345);
	assert_int_equal(got.max_samples, 99);
	assert_int_equal(got.threads, 4);
	start.spec.channels = 3;
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), ERR_CORRUPT);
	start.spec.channels = 2;
	start.spec.format = MEDIA_FLAC; /* that nothing makes */
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), ERR_CORRUPT);
	start.spec =
		(struct media_spec){ .format = MEDIA_WAV, .sample_rate = 48000, .channels = 1 };
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), 0);
	assert_int_equal(got.spec.format, MEDIA_WAV);
	start.threads = 0;
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), ERR_CORRUPT);
	start.threads = 4;
	start.version++;
	worker_start_write(&start, bytes);
	assert_int_equal(worker_start_read(bytes, &got, NULL), ERR_CORRUPT);
}

static void
a_starts_options_survive_and_unknown_ones_are_refused(void **state)
{
	struct worker_start start = {
		WORKER_PROTOCOL_VERSION,
		{ .format = MEDIA_MP3, .sample_rate = 44100, .channels = 2, .bit_rate = 128000 },
		1,
		1,
		1
	};
	uint8_t bytes[WORKER_START_BYTES];
	struct worker_start got;

	(void)state;
	for (int i = 0; i < 4; i++) {
		start.spec.strict = (i & 1) != 0;
		start.spec.drop_gaps = (i & 2) != 0;
		worker_start_write(&start, bytes);
		assert_int_equal(worker_start_read(bytes, &got, NULL), 0);
		assert_int_equal(got.spec.strict, start.spec.strict);
		assert_int_equal(got.spec.drop_gaps, start.spec.drop_gaps);
	}
	bytes[40] |= 4;
	assert_int_equal(worker_start_read(bytes, &got, NULL), ERR_CORRUPT);
}

static void
a_report_of_nothing_or_of_too_much_is_refused(void **state)
{
	uint8_t bytes[WORKER_DONE_BYTES];
	struct worker_done got;

	(void)state;
	worker_done_write(&(struct worker_done){ .samples = 5, .sample_rate = 44100 }, bytes);
	assert_int_equal(worker_done_read(bytes, &got, NULL), 0);
	assert_int_equal(got.samples, 5);
	assert_false(got.copied);
	worker_done_write(
		&(struct worker_done){ .samples = 5, .sample_rate = 44100, .copied = true }, bytes);
	assert_int_equal(worker_done_read(bytes, &got, NULL), 0);
	assert_true(got.copied);
	worker_done_write(&(struct worker_done){ .samples = 0, .sample_rate = 44100 }, bytes);
	assert_int_equal(worker_done_read(bytes, &got, NULL), ERR_CORRUPT);
	worker_done_write(&(struct worker_done){ .samples = -1, .sample_rate = 44100 }, bytes);
	assert_int_equal(worker_done_read(bytes, &got, NULL), ERR_CORRUPT);
}

static void
loudness_survives_to_the_hundredth_and_nonsense_in_it_does_not(void **state)
{
	struct worker_done done = { 5, 44100, false, { true, true, true, -14.456, 6.004, -1.25 } };
	struct worker_done got;
	uint8_t bytes[WORKER_DONE_BYTES];

	(void)state;
	worker_done_write(&done, bytes);
	assert_int_equal(worker_done_read(bytes, &got, NULL), 0);
	assert_true(got.loudness.has_integrated &&
		    fabs(got.loudness.integrated_lufs + 14.46) < 1e-9);
	assert_true(got.loudness.has_range && fabs(got.loudness.range_lu - 6) < 1e-9);
	assert_true(got.loudness.has_true_peak && fabs(got.loudness.true_peak_dbtp + 1.25) < 1e-9);
	bytes[12] = 16; /* a flag that there is none of */
	assert_int_equal(worker_done_read(bytes, &got, NULL), ERR_CORRUPT);
	bytes[12] = 6; /* a value that is not known, and there all the same */
	assert_int_equal(worker_done_read(bytes, &got, NULL), ERR_CORRUPT);
	memset(bytes + 16, 0, 4);
	assert_int_equal(worker_done_read(bytes, &got, NULL), 0);
	assert_false(got.loudness.has_integrated);
	bytes[23] = 0x80; /* a range below zero */
	assert_int_equal(worker_done_read(bytes, &got, NULL), ERR_CORRUPT);
}

static void
a_loudness_that_is_no_number_is_not_sent(void **state)
{
	const double values[] = { (double)NAN, (double)INFINITY, -(double)INFINITY, 1e300 };
	uint8_t bytes[WORKER_DONE_BYTES];
	struct worker_done got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct worker_done done = {
			5, 44100, false, { true, true, true, values[i], values[i], values[i] }
		};

		worker_done_write(&done, bytes);
		assert_int_equal(worker_done_read(bytes, &got, NULL), 0);
		assert_false(got.loudness.has_integrated || got.loudness.has_range ||
			     got.loudness.has_true_peak);
	}
}

static void
progress_is_a_fraction_or_unknown(void **state)
{
	const double given[] = { 0, 0.5, 1, 7, -1 };
	const double expected[] = { 0, 0.5, 1, 1, -1 };
	uint8_t bytes[WORKER_PROGRESS_BYTES];
	struct worker_progress got;

	(void)state;
	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
		worker_progress_write(&(struct worker_progress){ given[i], 99 }, bytes);
		assert_int_equal(worker_progress_read(bytes, &got, NULL), 0);
		assert_true(got.fraction > expected[i] - 1e-6 && got.fraction < expected[i] + 1e-6);
		assert_int_equal(got.samples, 99);
	}
	worker_progress_write(&(struct worker_progress){ 0, -1 }, bytes);
	assert_int_equal(worker_progress_read(bytes, &got, NULL), ERR_CORRUPT);
	memset(bytes, 0x7f, sizeof bytes);
	assert_int_equal(worker_progress_read(bytes, &got, NULL), ERR_CORRUPT);
}

static void
a_failures_words_are_cut_and_made_printable(void **state)
{
	char words[2 * WORKER_DETAIL_MAX + 1], detail[WORKER_DETAIL_MAX + 1];
	uint8_t bytes[4 + WORKER_DETAIL_MAX];
	enum worker_failure failure;
	size_t len;

	(void)state;
	memset(words, '\n', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	len = worker_fail_write(WORKER_NO_AUDIO, words, bytes);
	assert_int_equal(len, sizeof bytes);
	assert_int_equal(worker_fail_read(bytes, len, &failure, detail, NULL), 0);
	assert_int_equal(failure, WORKER_NO_AUDIO);
	assert_int_equal(strspn(detail, "?"), WORKER_DETAIL_MAX);
	bytes[0] = WORKER_FAILURES;
	assert_int_equal(worker_fail_read(bytes, len, &failure, detail, NULL), ERR_CORRUPT);
	bytes[0] = WORKER_FAILURE_NONE;
	assert_int_equal(worker_fail_read(bytes, len, &failure, detail, NULL), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_survives_the_way_there),
		cmocka_unit_test(a_message_going_the_wrong_way_is_refused),
		cmocka_unit_test(lengths_outside_a_types_range_are_refused),
		cmocka_unit_test(offsets_are_refused_where_none_belongs_or_past_the_sign),
		cmocka_unit_test(unknown_types_are_refused),
		cmocka_unit_test(a_start_survives_and_nonsense_in_it_does_not),
		cmocka_unit_test(a_starts_options_survive_and_unknown_ones_are_refused),
		cmocka_unit_test(a_report_of_nothing_or_of_too_much_is_refused),
		cmocka_unit_test(loudness_survives_to_the_hundredth_and_nonsense_in_it_does_not),
		cmocka_unit_test(a_loudness_that_is_no_number_is_not_sent),
		cmocka_unit_test(progress_is_a_fraction_or_unknown),
		cmocka_unit_test(a_failures_words_are_cut_and_made_printable),
	};

	return cmocka_run_group_tests_name("worker_protocol", tests, NULL, NULL);
}
