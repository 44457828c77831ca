/* Messages of the queues, and the job that its owner sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "wire/job_json.h"

#define FID "65f0ab65f065f065f065f065"
#define MP3 "65f0ab65f065f065f065f066"

static int
read_message(const char *text, enum job_message_kind kind, struct job_message *ret, struct err *e)
{
	return job_message_read(text, strlen(text), kind, ret, e);
}

static void
messages_come_back_as_written(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job_message m = { { FID }, { "" }, "zo\xc3\xab\xe2\x82\xac", { "", "" }, { 0 } },
			   back;

	(void)state;
	assert_int_equal(job_message_write(&m, &text, NULL), 0);
	assert_string_equal(str_text(&text), "{\"video_fid\": \"" FID "\", \"mp3_fid\": null, "
					     "\"username\": \"zo\\u00EB\\u20AC\"}");
	assert_int_equal(read_message(str_text(&text), JOB_MESSAGE_VIDEO, &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof m);
}

static void
a_failure_carries_its_reason(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job_message m = { .video_fid = { FID },
				 .username = "u",
				 .error = { "no_audio", "it has no sound" } },
			   back;

	(void)state;
	assert_int_equal(job_message_write(&m, &text, NULL), 0);
	assert_int_equal(read_message(str_text(&text), JOB_MESSAGE_FAILED, &back, NULL), 0);
	assert_string_equal(back.error.code, "no_audio");
	assert_string_equal(back.error.message, "it has no sound");
}

static void
a_result_carries_its_warnings(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job_message m = { .video_fid = { FID }, .mp3_fid = { MP3 }, .username = "u" }, back;

	(void)state;
	warnings_add(&m.warnings, &(struct warning){ WARNING_GAP_FILLED, 1500, 250, 3 });
	warnings_add(&m.warnings, &(struct warning){ WARNING_TRUNCATED, -1, 0, 1 });
	assert_int_equal(job_message_write(&m, &text, NULL), 0);
	assert_non_null(strstr(str_text(&text), "\"at_s\": 1.5, \"seconds\": 0.25}, {\"code\": "
						"\"truncated\""));
	assert_int_equal(read_message(str_text(&text), JOB_MESSAGE_MP3, &back, NULL), 0);
	assert_int_equal(back.warnings.count, 2);
	assert_int_equal(back.warnings.list[0].code, WARNING_GAP_FILLED);
	assert_int_equal(back.warnings.list[0].at_ms, 1500);
	assert_int_equal(back.warnings.list[0].ms, 250);
	assert_int_equal(back.warnings.list[1].code, WARNING_TRUNCATED);
	assert_int_equal(back.warnings.list[1].at_ms, -1);
	assert_int_equal(back.warnings.list[1].ms, 0);
	assert_int_equal(read_message(str_text(&text), JOB_MESSAGE_VIDEO, &back, NULL), 0);
	assert_int_equal(back.warnings.count, 0);
}

static void
the_most_warnings_make_a_small_message(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(8192);
	struct job_message m = { .video_fid = { FID }, .mp3_fid = { MP3 }, .username = "u" };

	(void)state;
	m.warnings.count = WARNINGS_MAX;
	for (size_t i = 0; i < WARNINGS_MAX; i++)
		m.warnings.list[i] = (struct warning){ WARNING_CLOCK_RESTARTED, 359999999,
						       359999999, UINT32_MAX };
	assert_int_equal(job_message_write(&m, &text, NULL), 0);
	assert_int_equal(read_message(str_text(&text), JOB_MESSAGE_MP3, &m, NULL), 0);
	assert_int_equal(m.warnings.count, WARNINGS_MAX);
}

static void
hostile_warnings_are_passed_over(void **state)
{
	static const char begin[] = "{\"video_fid\":\"" FID "\",\"mp3_fid\":\"" MP3
				    "\",\"username\":\"u\",\"warnings\":";
	static const char *const nothing[] = {
		"null",
		"7",
		"\"truncated\"",
		"{\"code\":\"truncated\"}",
		"[]",
		"[null,1,[],{}]",
		"[{\"code\":7},{\"code\":\"of a later build\"},{\"code\":\"\"}]",
	};
	struct job_message m;
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		(void)snprintf(text, sizeof text, "%s%s}", begin, nothing[i]);
		assert_int_equal(read_message(text, JOB_MESSAGE_MP3, &m, NULL), 0);
		assert_int_equal(m.warnings.count, 0);
	}
	(void)snprintf(text, sizeof text,
		       "%s[5,{\"code\":\"damaged\",\"at_s\":-1e300,"
		       "\"seconds\":1e300}]}",
		       begin);
	assert_int_equal(read_message(text, JOB_MESSAGE_MP3, &m, NULL), 0);
	assert_int_equal(m.warnings.count, 1);
	assert_int_equal(m.warnings.list[0].at_ms, -1);
	assert_int_equal(m.warnings.list[0].ms, 0);
}

static void
messages_of_others_are_read(void **state)
{
	struct job_message m;

	(void)state;
	assert_int_equal(
		read_message("{\"username\":\"u\",\"new\":[1,{\"a\":null}],\"mp3_fid\":\"" MP3
			     "\",\"video_fid\":\"65F0AB65F065F065F065F065\"}",
			     JOB_MESSAGE_MP3, &m, NULL),
		0);
	assert_string_equal(m.video_fid.hex, FID);
	assert_string_equal(m.mp3_fid.hex, MP3);
	assert_int_equal(read_message("{\"username\":\"u\",\"video_fid\":\"" FID
				      "\",\"mp3_fid\":5}",
				      JOB_MESSAGE_VIDEO, &m, NULL),
			 0);
	assert_true(blob_id_is_none(&m.mp3_fid));
}

static void
hostile_messages_are_invalid_and_change_nothing(void **state)
{
	static const struct {
		const char *text;
		enum job_message_kind kind;
	} rows[] = {
		{ "", JOB_MESSAGE_VIDEO },
		{ "null", JOB_MESSAGE_VIDEO },
		{ "[]", JOB_MESSAGE_VIDEO },
		{ "\"x\"", JOB_MESSAGE_VIDEO },
		{ "{", JOB_MESSAGE_VIDEO },
		{ "{}", JOB_MESSAGE_VIDEO },
		{ "{} x", JOB_MESSAGE_VIDEO },
		{ "{'video_fid': 1}", JOB_MESSAGE_VIDEO },
		{ "{\"username\":\"u\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":7}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":null}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"a\\u0000b\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"\xff\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"\\ud800\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"a\",\"username\":\"b\"}",
		  JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "0\",\"username\":\"u\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"65f0\",\"username\":\"u\"}", JOB_MESSAGE_VIDEO },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\"}", JOB_MESSAGE_MP3 },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\",\"mp3_fid\":null}",
		  JOB_MESSAGE_MP3 },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\",\"mp3_fid\":\"x\"}",
		  JOB_MESSAGE_MP3 },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\"}", JOB_MESSAGE_FAILED },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\",\"error\":\"x\"}",
		  JOB_MESSAGE_FAILED },
		{ "{\"video_fid\":\"" FID "\",\"username\":\"u\",\"error\":{\"code\":\"x\"}}",
		  JOB_MESSAGE_FAILED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct job_message m = { .username = "untouched" };
		struct err e = ERR_NONE;

		assert_int_equal(read_message(rows[i].text, rows[i].kind, &m, &e), ERR_INVALID);
		assert_string_not_equal(e.text, "");
		assert_string_equal(m.username, "untouched");
	}
}

static void
deep_and_long_messages_are_invalid(void **state)
{
	static char deep[60000], longest[70000];
	struct job_message m;
	struct err e = ERR_NONE;

	(void)state;
	memset(deep, '[', sizeof deep);
	assert_int_equal(job_message_read(deep, sizeof deep, JOB_MESSAGE_VIDEO, &m, &e),
			 ERR_INVALID);
	assert_non_null(strstr(e.text, "levels"));
	memset(longest, ' ', sizeof longest);
	assert_int_equal(job_message_read(longest, sizeof longest, JOB_MESSAGE_VIDEO, &m, &e),
			 ERR_INVALID);
	assert_non_null(strstr(e.text, "65536"));
}

static void
brackets_within_texts_do_not_count(void **state)
{
	struct job_message m;
	char text[400], name[101];

	(void)state;
	memset(name, '[', sizeof name - 1);
	name[100] = '\0';
	(void)snprintf(text, sizeof text, "{\"username\":\"\\\"%s\",\"video_fid\":\"" FID "\"}",
		       name);
	assert_int_equal(read_message(text, JOB_MESSAGE_VIDEO, &m, NULL), 0);
	assert_int_equal(strlen(m.username), 101);
}

static void
a_long_name_is_refused_and_the_longest_is_not(void **state)
{
	char text[400], name[257];
	struct job_message m;
	struct err e = ERR_NONE;

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[256] = '\0';
	(void)snprintf(text, sizeof text, "{\"video_fid\":\"" FID "\",\"username\":\"%s\"}", name);
	assert_int_equal(read_message(text, JOB_MESSAGE_VIDEO, &m, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "username"));
	(void)snprintf(text, sizeof text, "{\"video_fid\":\"" FID "\",\"username\":\"%s\"}",
		       name + 1);
	assert_int_equal(read_message(text, JOB_MESSAGE_VIDEO, &m, NULL), 0);
	assert_int_equal(strlen(m.username), USERNAME_MAX);
}

static void
its_owner_sees_the_whole_job(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job job = { .video_fid = { FID },
			   .username = "u",
			   .state = JOB_FAILED,
			   .attempts = 2,
			   .progress = { 0.5, 9, 9 },
			   .source = { "cl\"ip\xff.mp4", "video/mp4", 1234567890123, (double)NAN },
			   .error = { "no_audio", "no sound" },
			   .created_ms = 1700000000123,
			   .updated_ms = 0 };

	(void)state;
	assert_int_equal(job_write(&job, &text, NULL), 0);
	assert_string_equal(str_text(&text),
			    "{\"video_fid\":\"" FID "\",\"state\":\"failed\",\"mp3_fid\":null,"
			    "\"error\":{\"code\":\"no_audio\",\"message\":\"no sound\"},"
			    "\"attempts\":2,\"progress\":0.5,\"speed\":null,\"remaining_s\":null,"
			    "\"filename\":\"cl\\\"ip\\uFFFD.mp4\","
			    "\"bytes\":1234567890123,\"duration_s\":0.0,\"loudness\":null,"
			    "\"warnings\":[],\"tracks\":[],\"track\":null,"
			    "\"created_at\":\"2023-11-14T22:13:20.123Z\",\"updated_at\":null}");
}

static void
how_fast_a_job_runs_shows_while_it_runs(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	SCOPED(str_free) struct str unknown = STR_MAX(4096);
	struct job job = { .video_fid = { FID },
			   .state = JOB_LEASED,
			   .progress = { 0.25, 62.5, 90 } };

	(void)state;
	assert_int_equal(job_write(&job, &text, NULL), 0);
	assert_non_null(
		strstr(str_text(&text), "\"progress\":0.25,\"speed\":62.5,\"remaining_s\":90.0,"));
	job.progress = (struct job_progress){ 0, 62.5, 0 };
	assert_int_equal(job_write(&job, &unknown, NULL), 0);
	assert_non_null(strstr(str_text(&unknown), "\"speed\":62.5,\"remaining_s\":null,"));
}

static void
a_done_job_shows_no_error_of_an_earlier_attempt(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job job = { .video_fid = { FID },
			   .state = JOB_DONE,
			   .mp3_fid = { MP3 },
			   .error = { "worker_died", "x" } };

	(void)state;
	assert_int_equal(job_write(&job, &text, NULL), 0);
	assert_non_null(strstr(str_text(&text), "\"mp3_fid\":\"" MP3 "\",\"error\":null,"));
}

static void
loudness_is_shown_to_the_hundredth_and_never_as_infinity(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job job = { .video_fid = { FID },
			   .state = JOB_DONE,
			   .loudness = { true, false, true, -14.456, 7, -(double)INFINITY } };

	(void)state;
	assert_int_equal(job_write(&job, &text, NULL), 0);
	assert_non_null(strstr(str_text(&text), "\"loudness\":{\"integrated_lufs\":-14.46,"
						"\"range_lu\":null,\"true_peak_dbtp\":null}"));
}

static void
what_was_found_in_the_source_is_shown(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct job job = { .video_fid = { FID }, .state = JOB_DONE };

	(void)state;
	warnings_add(&job.warnings, &(struct warning){ WARNING_TRUNCATED, 900, 0, 1 });
	job.tracks = (struct tracks){ 2,
				      { { .codec = "aac", .channels = 6, .language = "deu" },
					{ .codec = "mp3", .is_default = true, .taken = true } } };
	assert_int_equal(job_write(&job, &text, NULL), 0);
	assert_non_null(strstr(str_text(&text),
			       "\"warnings\":[{\"code\":\"truncated\",\"message\":\"the file ends "
			       "too early: bytes are missing at its end\",\"at_s\":0.9,"
			       "\"seconds\":null}],"));
	assert_non_null(strstr(
		str_text(&text),
		"\"tracks\":[{\"codec\":\"aac\",\"channels\":6,\"language\":"
		"\"deu\",\"title\":null,\"default\":false,\"taken\":false},{\"codec\":\"mp3\","
		"\"channels\":null,\"language\":null,\"title\":null,"
		"\"default\":true,\"taken\":true}],\"track\":2,"));
}

static void
a_ceiling_that_is_too_low_is_an_error(void **state)
{
	SCOPED(str_free) struct str text = STR_MAX(20);
	struct job_message m = { .video_fid = { FID }, .username = "u" };

	(void)state;
	assert_int_equal(job_message_write(&m, &text, NULL), ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back_as_written),
		cmocka_unit_test(a_failure_carries_its_reason),
		cmocka_unit_test(a_result_carries_its_warnings),
		cmocka_unit_test(the_most_warnings_make_a_small_message),
		cmocka_unit_test(hostile_warnings_are_passed_over),
		cmocka_unit_test(messages_of_others_are_read),
		cmocka_unit_test(hostile_messages_are_invalid_and_change_nothing),
		cmocka_unit_test(deep_and_long_messages_are_invalid),
		cmocka_unit_test(brackets_within_texts_do_not_count),
		cmocka_unit_test(a_long_name_is_refused_and_the_longest_is_not),
		cmocka_unit_test(its_owner_sees_the_whole_job),
		cmocka_unit_test(how_fast_a_job_runs_shows_while_it_runs),
		cmocka_unit_test(a_done_job_shows_no_error_of_an_earlier_attempt),
		cmocka_unit_test(loudness_is_shown_to_the_hundredth_and_never_as_infinity),
		cmocka_unit_test(what_was_found_in_the_source_is_shown),
		cmocka_unit_test(a_ceiling_that_is_too_low_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
