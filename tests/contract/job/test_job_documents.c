/* Documents of the ledger on MongoDB that this build did not write, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "adapter/mongo_jobs/private.h"
#include "base/scope.h"

/* The job of a document whose result is that JSON. */
static struct job
job_of_result(const char *json)
{
	SCOPED(mongo_jobs_bson_free) bson_t *doc = NULL;
	struct job job = { 0 };
	char text[4096];

	(void)snprintf(text, sizeof text,
		       "{\"_id\":{\"$oid\":\"65f0ab65f065f065f065f065\"},\"state\":\"done\","
		       "\"result\":%s}",
		       json);
	doc = bson_new_from_json((const uint8_t *)text, -1, NULL);
	assert_non_null(doc);
	assert_int_equal(mongo_jobs_read(doc, &job, NULL), 0);
	return job;
}

static void
a_result_without_findings_has_none(void **state)
{
	static const char *const older[] = { "null", "7", "{}", "{\"bytes\":5}",
					     "{\"warnings\":null,\"tracks\":null}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(older); i++) {
		struct job job = job_of_result(older[i]);

		assert_int_equal(job.warnings.count, 0);
		assert_int_equal(job.tracks.count, 0);
	}
}

static void
what_is_no_finding_of_this_build_is_passed_over(void **state)
{
	static const char *const others[] = {
		"{\"warnings\":\"truncated\",\"tracks\":7}",
		"{\"warnings\":{\"code\":\"truncated\"},\"tracks\":{}}",
		"{\"warnings\":[7,[],null,{}],\"tracks\":[7,[],\"x\",{}]}",
		"{\"warnings\":[{\"code\":\"later\",\"at_ms\":1,\"ms\":1,\"events\":1}]}",
		"{\"warnings\":[{\"code\":7,\"at_ms\":1,\"ms\":1,\"events\":1}]}",
		"{\"warnings\":[{\"code\":\"truncated\"}]}",
		"{\"warnings\":[{\"code\":\"damaged\",\"at_ms\":-2,\"ms\":0,\"events\":1}]}",
		"{\"warnings\":[{\"code\":\"damaged\",\"at_ms\":0,\"ms\":1e300,\"events\":1}]}",
		"{\"warnings\":[{\"code\":\"damaged\",\"at_ms\":0,\"ms\":-1,\"events\":1}]}",
		"{\"warnings\":[{\"code\":\"damaged\",\"at_ms\":0,\"ms\":0,\"events\":0}]}",
		("{\"warnings\":"
		 "[{\"code\":\"damaged\",\"at_ms\":0,\"ms\":0,\"events\":4294967296}]}"),
		"{\"tracks\":[{\"channels\":-1},{\"channels\":\"2\"},{\"channels\":2147483648}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct job job = job_of_result(others[i]);

		assert_int_equal(job.warnings.count, 0);
		assert_int_equal(job.tracks.count, 0);
	}
}

static void
what_is_known_of_a_later_builds_findings_is_read(void **state)
{
	struct job job = job_of_result(
		"{\"warnings\":[{\"code\":\"later\"},{\"code\":\"damaged\",\"at_ms\":5,\"ms\":0,"
		"\"events\":1,\"new\":{}}],\"tracks\":[{\"channels\":2,\"new\":1,\"title\":7,"
		"\"codec\":\"a name that no codec of today has\",\"taken\":1,\"default\":true}]}");

	(void)state;
	assert_int_equal(job.warnings.count, 1);
	assert_int_equal(job.warnings.list[0].code, WARNING_DAMAGED);
	assert_int_equal(job.warnings.list[0].at_ms, 5);
	assert_int_equal(job.tracks.count, 1);
	assert_string_equal(job.tracks.list[0].codec, "a name that no codec of");
	assert_string_equal(job.tracks.list[0].title, "");
	assert_true(job.tracks.list[0].is_default);
	assert_false(job.tracks.list[0].taken);
}

static void
more_than_a_job_holds_is_left_out(void **state)
{
	static const char warning[] = "{\"code\":\"damaged\",\"at_ms\":0,\"ms\":0,\"events\":1},",
			  track[] = "{\"channels\":2},";
	char text[4000] = "{\"warnings\":[";
	size_t len = strlen(text);
	struct job job;

	(void)state;
	for (int i = 0; i < WARNINGS_MAX + 4; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s", warning);
	len += (size_t)snprintf(text + len, sizeof text - len, "7],\"tracks\":[");
	for (int i = 0; i < TRACKS_MAX + 4; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s", track);
	len += (size_t)snprintf(text + len, sizeof text - len, "7]}");
	assert_true(len < sizeof text);
	job = job_of_result(text);
	assert_int_equal(job.warnings.count, WARNINGS_MAX);
	assert_int_equal(job.tracks.count, TRACKS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_without_findings_has_none),
		cmocka_unit_test(what_is_no_finding_of_this_build_is_passed_over),
		cmocka_unit_test(what_is_known_of_a_later_builds_findings_is_read),
		cmocka_unit_test(more_than_a_job_holds_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
