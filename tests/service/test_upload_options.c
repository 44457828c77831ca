/* What an upload may ask for beside its file: in the query, in front of the file or behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "service/gateway_world.h"

#define FIELD(name, value)                                                                         \
	"--x\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART                                                                                  \
	"--x\r\nContent-Disposition: form-data; name=\"file\"; "                                   \
	"filename=\"a.mp4\"\r\n\r\nvideo\r\n"
#define END "--x--\r\n"

/* What the only job asks for. */
static struct media_spec
wanted(struct world *w)
{
	const struct job_filter all = { 0 };
	struct job job;
	size_t count = 0;

	assert_int_equal(job_list(&w->ledger->desk, &all, &job, 1, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(job.state, JOB_QUEUED);
	return job.spec;
}

static void
expect_wanted(const char *path, const char *body, bool strict, bool drop_gaps)
{
	void *state = NULL;
	struct media_spec spec;

	assert_int_equal(set_up(&state), 0);
	EXPECT((struct world *)state, 200, "success!", "POST", path, "ann", NULL, body);
	spec = wanted(state);
	assert_int_equal(spec.strict, strict);
	assert_int_equal(spec.drop_gaps, drop_gaps);
	assert_int_equal(spec.format, MEDIA_MP3);
	assert_int_equal(tear_down(&state), 0);
}

static void
options_stand_before_the_file_behind_it_or_in_the_query(void **state)
{
	(void)state;
	expect_wanted("/upload", ONE_FILE, false, false);
	expect_wanted("/upload", FIELD("strict", "true") FILE_PART END, true, false);
	expect_wanted("/upload", FILE_PART FIELD("strict", "true") FIELD("gaps", "drop") END, true,
		      true);
	expect_wanted("/upload?gaps=drop&strict=true", ONE_FILE, true, true);
	expect_wanted("/upload?strict=true", FILE_PART FIELD("strict", "false") END, false, false);
	expect_wanted("/upload?Strict=true&x=1", FIELD("note", "strict") FILE_PART END, false,
		      false);
}

static void
a_value_that_is_none_is_refused_with_the_choices_and_leaves_nothing(void **state)
{
	static const struct {
		const char *path, *body, *words;
	} rows[] = {
		{ "/upload?strict=yes", ONE_FILE, "strict must be false or true" },
		{ "/upload?strict=", ONE_FILE, "strict must be false or true" },
		{ "/upload?gaps=drop%00", ONE_FILE, "gaps must be fill or drop" },
		{ "/upload", FIELD("gaps", "") FILE_PART END, "gaps must be fill or drop" },
		{ "/upload", FIELD("gaps", "dropdropdropdropdrop") FILE_PART END,
		  "gaps must be fill or drop" },
		{ "/upload", FILE_PART FIELD("strict", "1") END, "strict must be false or true" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(w, 400, rows[i].words, "POST", rows[i].path, "ann", NULL, rows[i].body);
	assert_int_equal(blob_fake_count(w->gateway.videos), 0);
	assert_int_equal(jobs_in(w, JOB_QUEUED) + jobs_in(w, JOB_UPLOADING), 0);
	assert_int_equal(w->broker.published, 0);
	EXPECT(w, 401, "missing credentials", "POST", "/upload?strict=yes", NULL, NULL, ONE_FILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_the_file_behind_it_or_in_the_query),
		cmocka_unit_test_setup_teardown(
			a_value_that_is_none_is_refused_with_the_choices_and_leaves_nothing, set_up,
			tear_down),
	};

	return cmocka_run_group_tests_name("upload options", tests, NULL, NULL);
}
