/* Every allocation that base and wire make fails once, one after the other: the answer is
 * NO_MEMORY, or as if nothing had happened; nothing leaks, and results stay as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/config/config.h"
#include "base/scope.h"
#include "base/text/str.h"
#include "wire/authorization.h"
#include "wire/claims_json.h"
#include "wire/dead_json.h"
#include "wire/job_json.h"
#include "wire/problem_json.h"

#define VIDEO "65f0ab65f065f065f065f065"
#define MP3 "65f0ab65f065f065f065f066"
#define CLAIMS "{\"admin\":true,\"exp\":2,\"iat\":1,\"username\":\"\\u00e4@example.org\"}"
#define ALLOCATIONS_MAX 200

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static int allocations, failing; /* counted from 1; 0 = none fails */

static bool
fails(void)
{
	return ++allocations == failing;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

/* Each operation gives its code, and checks its own result: whole, or as it was before. */
typedef int (*operation)(void);

static void
sweep(operation run)
{
	int n = 0, r;

	failing = 0;
	assert_int_equal(run(), 0); /* also lets jansson be asked before it counts */
	do {
		assert_in_range(++n, 1, ALLOCATIONS_MAX);
		allocations = 0;
		failing = n;
		r = run();
		failing = 0;
		if (r != 0)
			assert_int_equal(r, ERR_NO_MEMORY);
	} while (allocations >= n);
	assert_int_equal(r, 0);
	assert_true(n > 1);
}

static int
checked_text(int r, const struct str *text, const char *part)
{
	if (r == 0)
		assert_non_null(strstr(str_text(text), part));
	return r;
}

static int
build_text(void)
{
	SCOPED(str_free) struct str s = STR_MAX(100000);

	for (int i = 0; i < 1000; i++)
		str_printf(&s, "%d ", i);
	str_puts(&s, "end");
	return checked_text(str_error(&s, NULL), &s, " 999 end");
}

static const char *
bad_value(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "N") == 0 ? "many" : NULL;
}

static int
refuse_config(void)
{
	static const struct config_key keys[] = {
		{ .name = "N", .type = CONFIG_INTEGER, .size = sizeof(int64_t), .fallback = "1" },
		{ .name = NULL },
	};
	static const struct config_key *const tables[] = { keys, NULL };
	struct err e = ERR_NONE;
	int64_t n = 7;

	/* Whatever becomes of its words, what is bad is never taken. */
	assert_int_equal(config_load_from(tables, &n, bad_value, NULL, NULL, &e), ERR_INVALID);
	assert_int_equal(n, 7);
	return 0;
}

static int
read_message(enum job_message_kind kind, const char *text)
{
	struct job_message untouched, m;
	int r;

	memset(&untouched, 0x5a, sizeof untouched);
	m = untouched;
	r = job_message_read(text, strlen(text), kind, &m, NULL);
	if (r == 0)
		assert_string_equal(m.video_fid.hex, VIDEO);
	else
		assert_memory_equal(&m, &untouched, sizeof m);
	return r;
}

static int
read_video(void)
{
	return read_message(JOB_MESSAGE_VIDEO,
			    "{\"video_fid\": \"" VIDEO "\", \"mp3_fid\": null, \"username\": "
			    "\"\\u00e4\", \"more\": [1, 2.5, {\"a\": true}]}");
}

static int
read_mp3(void)
{
	return read_message(JOB_MESSAGE_MP3, "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":\"" MP3
					     "\",\"username\":\"u\"}");
}

static int
read_failed(void)
{
	return read_message(JOB_MESSAGE_FAILED,
			    "{\"video_fid\":\"" VIDEO "\",\"mp3_fid\":null,\"username\":\"u\","
			    "\"error\":{\"code\":\"no_audio\",\"message\":\"none\"}}");
}

static int
write_message(void)
{
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct job_message m = { .video_fid = { VIDEO },
				 .username = "\xff not UTF-8",
				 .error = { "no_audio", "none" } };

	return checked_text(job_message_write(&m, &text, NULL), &text, "\"no_audio\"");
}

static struct job
some_job(void)
{
	return (struct job){ .video_fid = { VIDEO },
			     .mp3_fid = { MP3 },
			     .username = "u",
			     .state = JOB_FAILED,
			     .source = { .filename = "\xff.mp4" },
			     .error = { "no_audio", "none" },
			     .created_ms = 1700000000000 };
}

static int
write_job(void)
{
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct job job = some_job();

	return checked_text(job_write(&job, &text, NULL), &text, "\"no_audio\"");
}

static int
write_record(void)
{
	SCOPED(str_free) struct str text = STR_MAX(65536);
	const struct job_attempt attempt = { "pod/1/a", 1, 2, JOB_END_RETRIED, "no_audio" };
	struct job job = some_job();

	return checked_text(job_record_write(&job, &attempt, 1, &text, NULL), &text,
			    "\"no_audio\"");
}

static int
read_claims(void)
{
	struct claims untouched, c;
	int r;

	memset(&untouched, 0x5a, sizeof untouched);
	c = untouched;
	r = claims_read(CLAIMS, sizeof CLAIMS - 1, &c, NULL);
	if (r == 0)
		assert_string_equal(c.username, "\xc3\xa4@example.org");
	else
		assert_memory_equal(&c, &untouched, sizeof c);
	return r;
}

static int
write_claims(void)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct claims c = { .username = "\xc3\xa4@example.org", .exp = 2, .iat = 1, .admin = true };

	return checked_text(claims_write(&c, &text, NULL), &text,
			    "\"admin\":true,\"exp\":2,\"iat\":1,");
}

static int
check_depth(void)
{
	return token_check_depth("e30.e30.AA", NULL);
}

static int
read_token(void)
{
	struct claims c = { .exp = 0 };
	int r = token_claims_read("e30.eyJleHAiOjIsImlhdCI6MSwidXNlcm5hbWUiOiJ1In0.AA", &c, NULL);

	assert_int_equal(c.exp, r == 0 ? 2 : 0);
	return r;
}

static int
write_problem(void)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);

	return checked_text(problem_write(404, "gone", "Not Found", "\xff", &text, NULL), &text,
			    "\"detail\"");
}

static int
write_dead(void)
{
	SCOPED(str_free) struct str text = STR_MAX(4096);
	struct dead_record record = {
		.id = "1", .queue = "video", .reason = "\xff", .body = "\xfe", .len = 1, .size = 1
	};

	return checked_text(dead_record_write(&record, &text, NULL), &text, "\"fe\"");
}

static int
read_credentials(void)
{
	struct credentials c = { { 0 }, NULL, 0 };
	enum credentials_kind kind = credentials_read("Basic dXNlcjpwYXNz", &c);

	if (kind == CREDENTIALS_NO_MEMORY) {
		assert_null(c.password);
		return ERR_NO_MEMORY;
	}
	assert_int_equal(kind, CREDENTIALS_GIVEN);
	assert_memory_equal(c.password, "pass", 4);
	credentials_clear(&c);
	return 0;
}

#define SWEEP(name, run)                                                                           \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		sweep(run);                                                                        \
	}

SWEEP(a_message_on_video_is_read_or_there_is_no_memory, read_video)
SWEEP(a_message_on_mp3_is_read_or_there_is_no_memory, read_mp3)
SWEEP(a_message_on_failed_is_read_or_there_is_no_memory, read_failed)
SWEEP(a_message_is_written_whole_or_not_at_all, write_message)
SWEEP(a_job_is_written_whole_or_not_at_all, write_job)
SWEEP(a_record_is_written_whole_or_not_at_all, write_record)
SWEEP(claims_are_read_or_there_is_no_memory, read_claims)
SWEEP(claims_are_written_whole_or_not_at_all, write_claims)
SWEEP(a_tokens_depth_is_told_or_there_is_no_memory, check_depth)
SWEEP(a_tokens_claims_are_read_or_there_is_no_memory, read_token)
SWEEP(a_problem_is_written_whole_or_not_at_all, write_problem)
SWEEP(a_dead_message_is_written_whole_or_not_at_all, write_dead)
SWEEP(credentials_are_read_or_there_is_no_memory, read_credentials)
SWEEP(a_text_remembers_that_memory_was_short, build_text)
SWEEP(a_bad_configuration_stays_refused, refuse_config)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_on_video_is_read_or_there_is_no_memory),
		cmocka_unit_test(a_message_on_mp3_is_read_or_there_is_no_memory),
		cmocka_unit_test(a_message_on_failed_is_read_or_there_is_no_memory),
		cmocka_unit_test(a_message_is_written_whole_or_not_at_all),
		cmocka_unit_test(a_job_is_written_whole_or_not_at_all),
		cmocka_unit_test(a_record_is_written_whole_or_not_at_all),
		cmocka_unit_test(claims_are_read_or_there_is_no_memory),
		cmocka_unit_test(claims_are_written_whole_or_not_at_all),
		cmocka_unit_test(a_tokens_depth_is_told_or_there_is_no_memory),
		cmocka_unit_test(a_tokens_claims_are_read_or_there_is_no_memory),
		cmocka_unit_test(a_problem_is_written_whole_or_not_at_all),
		cmocka_unit_test(a_dead_message_is_written_whole_or_not_at_all),
		cmocka_unit_test(credentials_are_read_or_there_is_no_memory),
		cmocka_unit_test(a_text_remembers_that_memory_was_short),
		cmocka_unit_test(a_bad_configuration_stays_refused),
	};

	return cmocka_run_group_tests_name("no memory", tests, NULL, NULL);
}
