/* Log lines: escaping, ceilings, whole lines from many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log/log.h"
#include "base/scope.h"

#define LINES_MAX (1024 * 1024)

static int log_fd = -1;

/* Lines go to a file, so that they can be read back. */
static void
begin(enum log_level level, enum log_format format)
{
	char path[] = "/tmp/test_log_XXXXXX";

	if (log_fd >= 0)
		(void)close(log_fd);
	log_fd = mkstemp(path);
	assert_true(log_fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fcntl(log_fd, F_SETFL, O_APPEND), 0);
	log_init("test", level, format, log_fd);
}

static const char *
lines(void)
{
	static char text[LINES_MAX];
	ssize_t n = pread(log_fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* What stands behind the time. */
static const char *
behind_time(void)
{
	const char *text = lines(), *level = strstr(text, "level");

	assert_non_null(level);
	return level;
}

static void
text_lines_are_logfmt(void **state)
{
	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info(LOG_EVENT("job_done"), LOG_STR("video_fid", "65f0"), LOG_INT("bytes", -12),
		 LOG_REAL("s", 1.5), LOG_BOOL("ok", true), LOG_STR("none", NULL));
	assert_string_equal(behind_time(), "level=info svc=test event=job_done video_fid=65f0 "
					   "bytes=-12 s=1.5 ok=true none=\"\"\n");
}

static void
json_lines_are_one_object(void **state)
{
	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_warn(LOG_EVENT("x"), LOG_STR("s", "a\"b\\c\n"), LOG_INT("n", 7),
		 LOG_REAL("r", 0.0 / 1));
	assert_memory_equal(lines(), "{\"ts\":\"20", 9);
	assert_string_equal(behind_time(), "level\":\"warn\",\"svc\":\"test\",\"event\":\"x\","
					   "\"s\":\"a\\\"b\\\\c\\n\",\"n\":7,\"r\":0}\n");
}

static void
a_json_value_stands_as_it_is_or_not_at_all(void **state)
{
	static char longest[8192];

	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	memset(longest, '1', sizeof longest - 1);
	log_info(LOG_EVENT("x"), LOG_JSON("list", "[{\"a\":1}]"), LOG_JSON("none", NULL),
		 LOG_JSON("longest", longest));
	assert_string_equal(behind_time(), "level\":\"info\",\"svc\":\"test\",\"event\":\"x\","
					   "\"list\":[{\"a\":1}],\"none\":null,"
					   "\"longest\":null}\n");
}

static void
the_time_is_utc_with_milliseconds(void **state)
{
	int y, mo, d, h, mi, s, ms;

	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info(LOG_EVENT("x"));
	assert_int_equal(sscanf(lines(), "ts=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ level", &y, &mo, &d, &h,
				&mi, &s, &ms),
			 7);
	assert_int_equal(lines()[27], ' ');
}

static void
hostile_values_cannot_forge_a_line_or_a_key(void **state)
{
	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info(LOG_STR("a", "x\nts=1 level=error"), LOG_STR("b", "k=v"), LOG_STR("c", "\x1b[2J"),
		 LOG_STR("d", "\xff\xc3\xa9"), LOG_STR("e", "\xc2\x9b\xe2\x80\xa8\x7f"),
		 LOG_STR("f", "zo\xc3\xab"));
	assert_string_equal(behind_time(),
			    "level=info svc=test a=\"x\\nts=1 level=error\" b=\"k=v\" "
			    "c=\"\\u001b[2J\" d=\"\xef\xbf\xbd\xc3\xa9\" "
			    "e=\"\\u009b\\u2028\\u007f\" f=zo\xc3\xab\n");
}

static void
lines_below_the_level_are_not_written(void **state)
{
	(void)state;
	begin(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	log_debug(LOG_EVENT("d"));
	log_info(LOG_EVENT("i"));
	assert_string_equal(lines(), "");
	log_error(LOG_EVENT("e"));
	assert_string_equal(behind_time(), "level=error svc=test event=e\n");
}

static void
huge_values_are_cut_and_the_line_stays_whole(void **state)
{
	enum log_format format;
	SCOPED_FREE char *huge = malloc(20001);

	(void)state;
	assert_non_null(huge);
	memset(huge, '"', 20000);
	huge[20000] = '\0';
	for (format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
		const char *text;
		size_t len;

		begin(LOG_LEVEL_INFO, format);
		log_info(LOG_EVENT("big"), LOG_STR("huge", huge), LOG_STR("more", "x"));
		text = lines();
		len = strlen(text);
		assert_in_range(len, 8000, 8192);
		assert_ptr_equal(strchr(text, '\n'), text + len - 1);
		assert_null(strstr(text, "more"));
		assert_string_equal(strstr(text, "..."),
				    format == LOG_FORMAT_JSON ? "...\"}\n" : "...\"\n");
	}
}

static void
a_context_stands_on_each_line_of_its_thread_once(void **state)
{
	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_context("request_id", "r1");
	log_context("job", "j1");
	log_info(LOG_EVENT("a"));
	assert_string_equal(behind_time(), "level=info svc=test request_id=r1 job=j1 event=a\n");
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_context("job", NULL);
	log_info(LOG_EVENT("b"), LOG_STR("request_id", "r2"));
	assert_string_equal(behind_time(), "level=info svc=test event=b request_id=r2\n");
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_context("request_id", NULL);
	log_info(LOG_EVENT("c"));
	assert_string_equal(behind_time(), "level=info svc=test event=c\n");
}

static void
bare_lines_hold_the_words_and_nothing_else(void **state)
{
	const struct log_field fields[] = { LOG_STR("mp3_fid", "65f0"), LOG_END };

	(void)state;
	begin(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	log_bare("Your mp3 \"x\" is ready- FID: 65f0", fields);
	log_bare("two\nlines", fields);
	assert_string_equal(lines(), "Your mp3 \"x\" is ready- FID: 65f0\ntwo\\nlines\n");
	begin(LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	log_bare("words", fields);
	assert_string_equal(behind_time(), "level\":\"info\",\"svc\":\"test\",\"msg\":\"words\","
					   "\"mp3_fid\":\"65f0\"}\n");
}

static void
levels_and_formats_are_read_by_name(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;
	enum log_format format = LOG_FORMAT_TEXT;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("verbose", &level), -1);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_format_parse("json", &format), 0);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_format_parse("xml", &format), -1);
}

static void *
write_many(void *arg)
{
	char value[301];
	int i;

	memset(value, *(const char *)arg, sizeof value - 1);
	value[sizeof value - 1] = '\0';
	log_context("thread", value);
	for (i = 0; i < 200; i++)
		log_info(LOG_EVENT("x"), LOG_STR("value", value));
	return NULL;
}

/* Counts the lines; each must be all of one thread's letter. */
static int
count_whole_lines(const char *text)
{
	int count = 0;

	while (*text) {
		const char *value = strstr(text, "value="), *end = strchr(text, '\n');
		char same[2] = { 0 };

		assert_non_null(value);
		assert_non_null(end);
		same[0] = value[6];
		assert_int_equal(strspn(value + 6, same), 300);
		assert_ptr_equal(end, value + 306);
		text = end + 1;
		count++;
	}
	return count;
}

static void
lines_of_many_threads_do_not_mix(void **state)
{
	static char letters[] = "abcd";
	pthread_t threads[4];
	size_t i;

	(void)state;
	begin(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &letters[i]), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(count_whole_lines(lines()), 800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines_are_logfmt),
		cmocka_unit_test(json_lines_are_one_object),
		cmocka_unit_test(a_json_value_stands_as_it_is_or_not_at_all),
		cmocka_unit_test(the_time_is_utc_with_milliseconds),
		cmocka_unit_test(hostile_values_cannot_forge_a_line_or_a_key),
		cmocka_unit_test(lines_below_the_level_are_not_written),
		cmocka_unit_test(huge_values_are_cut_and_the_line_stays_whole),
		cmocka_unit_test(a_context_stands_on_each_line_of_its_thread_once),
		cmocka_unit_test(bare_lines_hold_the_words_and_nothing_else),
		cmocka_unit_test(levels_and_formats_are_read_by_name),
		cmocka_unit_test(lines_of_many_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
