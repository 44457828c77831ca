/* The gateway's use cases on a real socket, among fakes: what is stored, queued, answered, and to
 * whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "service/gateway_world.h"

static void
an_accepted_upload_is_stored_queued_and_announced(void **state)
{
	struct world *w = *state;

	EXPECT(w, 200, "success!", "POST", "/upload", "ann", NULL, ONE_FILE);
	assert_int_equal(blob_fake_count(w->gateway.videos), 1);
	assert_int_equal(jobs_in(w, JOB_QUEUED), 1);
	assert_int_equal(w->broker.published, 1);
}

static void
with_the_broker_away_the_upload_still_succeeds(void **state)
{
	struct world *w = *state;

	w->broker.code = ERR_UNAVAILABLE;
	EXPECT(w, 200, "success!", "POST", "/upload", "ann", NULL, ONE_FILE);
	assert_int_equal(jobs_in(w, JOB_QUEUED), 1);
}

static void
what_is_not_exactly_one_file_is_refused_and_leaves_nothing(void **state)
{
	static const char *const bodies[] = { TWO_FILES, NO_FILE, CUT_SHORT, "--x--\r\n", "" };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		EXPECT(w, 400, "exactly 1 file required", "POST", "/upload", "ann", NULL,
		       bodies[i]);
	EXPECT(w, 400, "file is empty", "POST", "/upload", "ann", NULL, EMPTY_FILE);
	assert_int_equal(blob_fake_count(w->gateway.videos), 0);
	assert_int_equal(jobs_in(w, JOB_QUEUED) + jobs_in(w, JOB_UPLOADING), 0);
	assert_int_equal(w->broker.published, 0);
}

static void
a_file_over_the_limit_is_too_large(void **state)
{
	struct world *w = *state;

	w->gateway.max_upload_bytes = 4;
	EXPECT(w, 413, "file is too large", "POST", "/upload", "ann", NULL, ONE_FILE);
	w->gateway.max_upload_bytes = 5;
	EXPECT(w, 200, "success!", "POST", "/upload", "ann", NULL, ONE_FILE);
	assert_int_equal(blob_fake_count(w->gateway.videos), 1);
}

static void
every_lost_call_of_a_store_is_503_and_leaves_nothing(void **state)
{
	struct world *w = *state;
	int failed = 0;

	for (int n = 1; n < 100; n++) {
		struct job_counts counts;

		blob_fake_break_nth(w->gateway.videos, n, ERR_UNAVAILABLE);
		if (ask(w, "POST", "/upload", "ann", NULL, ONE_FILE) == 200)
			break;
		assert_int_equal(w->answer.status, 503);
		assert_string_equal(str_text(&w->answer.body), "service unavailable");
		assert_true(w->answer.retry_after_s > 0);
		assert_int_equal(job_count(&w->ledger->desk, &counts, NULL), 0);
		assert_int_equal(counts.by_state[JOB_QUEUED], 0);
		failed++;
	}
	assert_in_range(failed, 2, 50);
	blob_fake_break_nth(w->gateway.videos, 0, 0);
	assert_int_equal(blob_fake_count(w->gateway.videos), 1);
}

/* Call 1 begins the blob, 2 writes, 3 commits. */
static void
an_upload_whose_bytes_may_still_arrive_is_left_to_the_janitor(void **state)
{
	struct world *w = *state;

	for (int n = 2; n <= 3; n++) {
		blob_fake_break_nth(w->gateway.videos, n, ERR_TIMEOUT);
		EXPECT(w, 503, "service unavailable", "POST", "/upload", "ann", NULL, ONE_FILE);
		assert_int_equal(jobs_in(w, JOB_UPLOADING), n - 1);
		assert_int_equal(jobs_in(w, JOB_QUEUED), 0);
	}
	blob_fake_break_nth(w->gateway.videos, 1, ERR_TIMEOUT);
	EXPECT(w, 503, "service unavailable", "POST", "/upload", "ann", NULL, ONE_FILE);
	/* what was cleared is cleared after the answer */
	for (int64_t until = now_monotonic_ms() + 10000; jobs_in(w, JOB_UPLOADING) != 2;)
		assert_true(now_monotonic_ms() < until);
}

static void
a_ledger_that_is_away_is_503(void **state)
{
	struct world *w = *state;

	job_fake_break(w->ledger, ERR_TIMEOUT);
	EXPECT(w, 503, "service unavailable", "POST", "/upload", "ann", NULL, ONE_FILE);
	assert_int_equal(ask(w, "GET", "/jobs/65f0c0ffee0000000000abcd", "ann", NULL, NULL), 503);
	job_fake_break(w->ledger, 0);
	assert_int_equal(blob_fake_count(w->gateway.videos), 0);
}

static void
the_token_comes_before_all_else(void **state)
{
	struct world *w = *state;

	EXPECT(w, 401, "missing credentials", "POST", "/upload", NULL, NULL, ONE_FILE);
	EXPECT(w, 403, "not authorized", "POST", "/upload", "forged", NULL, ONE_FILE);
	EXPECT(w, 401, "not authorized", "POST", "/upload", "guest", NULL, "");
	EXPECT(w, 401, "missing credentials", "GET", "/download", "two words", NULL, NULL);
	EXPECT(w, 401, "not authorized", "GET", "/download", "guest", NULL, NULL);
	EXPECT(w, 400, "fid is required", "GET", "/download", "ann", NULL, NULL);
	EXPECT(w, 400, "fid is required", "GET", "/download?FID=1", "ann", NULL, NULL);
	EXPECT(w, 400, "fid is malformed", "GET", "/download?fid=xyz", "ann", NULL, NULL);
	EXPECT(w, 400, "fid is malformed", "GET", "/download?fid=65f0c0ffee0000000000abcd%00",
	       "ann", NULL, NULL);
	identity_fake_fail(w->gateway.identity, ERR_TIMEOUT);
	EXPECT(w, 503, "service unavailable", "POST", "/upload", "ann", NULL, ONE_FILE);
	EXPECT(w, 503, "service unavailable", "POST", "/login", "ann", NULL, "");
	assert_int_equal(blob_fake_count(w->gateway.videos), 0);
}

static void
each_verdict_of_auth_is_the_status_that_clients_know(void **state)
{
	static const struct {
		enum identity_verdict verdict;
		int login, upload;
		const char *words; /* of the upload: those of auth stay with the login */
	} rows[] = {
		{ IDENTITY_UNAUTHENTICATED, 401, 401, "missing credentials" },
		{ IDENTITY_FORBIDDEN, 403, 403, "not authorized" },
		{ IDENTITY_THROTTLED, 429, 503, "service unavailable" },
		{ IDENTITY_UNDECIDED, 503, 503, "service unavailable" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool again = rows[i].verdict >= IDENTITY_THROTTLED;

		identity_fake_refuse(w->gateway.identity, rows[i].verdict, "auth's own words",
				     again ? 7 : 0);
		EXPECT(w, rows[i].login, "auth's own words", "POST", "/login", "ann", NULL, "");
		assert_int_equal(w->answer.retry_after_s, again ? 7 : 0);
		EXPECT(w, rows[i].upload, rows[i].words, "POST", "/upload", "ann", NULL, ONE_FILE);
		assert_int_equal(w->answer.retry_after_s, again ? 7 : 0);
	}
	identity_fake_refuse(w->gateway.identity, IDENTITY_UNDECIDED, "no database", 0);
	EXPECT(w, 503, "service unavailable", "POST", "/upload", "ann", NULL, ONE_FILE);
	assert_int_equal(w->answer.retry_after_s, 1);
	identity_fake_refuse(w->gateway.identity, IDENTITY_GRANTED, "", 0);
	EXPECT(w, 200, "success!", "POST", "/upload", "ann", NULL, ONE_FILE);
}

static void
bytes_go_to_their_owner_alone(void **state)
{
	struct world *w = *state;
	struct blob_id anns = store_mp3(w, "ann@example.org", "audio/mpeg", "sound");
	struct blob_id msgqs = store_mp3(w, "", "", "old");
	struct blob_id nobodys = store_mp3(w, NULL, "", "odd");

	EXPECT(w, 200, "sound", "GET", download_path(&anns), "ann", NULL, NULL);
	assert_string_equal(w->answer.content_type, "audio/mpeg");
	EXPECT(w, 404, "not found", "GET", download_path(&anns), "bob", NULL, NULL);
	EXPECT(w, 200, "old", "GET", download_path(&msgqs), "bob", NULL, NULL);
	EXPECT(w, 404, "not found", "GET", download_path(&nobodys), "ann", NULL, NULL);
	w->gateway.allow_ownerless = false;
	EXPECT(w, 404, "not found", "GET", download_path(&msgqs), "bob", NULL, NULL);
	EXPECT(w, 404, "not found", "GET", "/download?fid=65f0c0ffee0000000000abcd", "ann", NULL,
	       NULL);
}

static void
a_hostile_content_type_never_reaches_a_browser(void **state)
{
	struct world *w = *state;
	struct blob_id id = store_mp3(w, "ann@example.org", "text/html", "<script>");

	EXPECT(w, 200, "<script>", "GET", download_path(&id), "ann", NULL, NULL);
	assert_string_equal(w->answer.content_type, "audio/mpeg");
}

static void
ranges_and_conditions_are_honoured(void **state)
{
	struct world *w = *state;
	struct blob_id id = store_mp3(w, "ann@example.org", "audio/mpeg", "0123456789");
	struct blob_id empty = store_mp3(w, "ann@example.org", "audio/mpeg", "");
	char etag[64], if_range[128];

	EXPECT(w, 200, "", "GET", download_path(&empty), "ann", NULL, NULL);
	EXPECT(w, 206, "234", "GET", download_path(&id), "ann", "Range: bytes=2-4", NULL);
	EXPECT(w, 206, "89", "GET", download_path(&id), "ann", "Range: bytes=-2", NULL);
	EXPECT(w, 416, "range not satisfiable", "GET", download_path(&id), "ann",
	       "Range: bytes=10-", NULL);
	EXPECT(w, 200, "0123456789", "GET", download_path(&id), "ann", "Range: bytes=0-1,3-4",
	       NULL);
	EXPECT(w, 304, "", "GET", download_path(&id), "ann", "If-None-Match: *", NULL);
	(void)snprintf(etag, sizeof etag, "If-None-Match: \"%s\"", id.hex);
	EXPECT(w, 304, "", "GET", download_path(&id), "ann", etag, NULL);
	(void)snprintf(if_range, sizeof if_range, "If-Range: \"%s\"\r\nRange: bytes=0-0", id.hex);
	EXPECT(w, 206, "0", "GET", download_path(&id), "ann", if_range, NULL);
	EXPECT(w, 200, "0123456789", "GET", download_path(&id), "ann",
	       "If-Range: \"other\"\r\nRange: bytes=0-0", NULL);
}

static void
a_job_is_shown_to_its_owner_as_json_and_to_nobody_else(void **state)
{
	struct world *w = *state;
	struct job job = { .state = JOB_QUEUED,
			   .video_fid = blob_id_new(),
			   .username = "ann@example.org" };
	char path[64];

	assert_int_equal(job_create(w->gateway.jobs, &job, NULL), 0);
	(void)snprintf(path, sizeof path, "/jobs/%s", job.video_fid.hex);
	assert_int_equal(ask(w, "GET", path, "ann", NULL, NULL), 200);
	assert_string_equal(w->answer.content_type, "application/json");
	assert_non_null(strstr(str_text(&w->answer.body), "\"state\":\"queued\""));
	assert_int_equal(ask(w, "GET", path, "bob", NULL, NULL), 404);
	assert_string_equal(w->answer.content_type, "application/problem+json");
	assert_int_equal(ask(w, "GET", "/jobs/xyz", "ann", NULL, NULL), 400);
	assert_int_equal(ask(w, "GET", path, NULL, NULL, NULL), 401);
}

static void
an_upload_that_asks_for_json_gets_its_job(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "POST", "/upload", "ann", "Accept: application/json", ONE_FILE),
			 200);
	assert_string_equal(w->answer.content_type, "application/json");
	assert_non_null(strstr(str_text(&w->answer.body), "\"video_fid\":\""));
	assert_non_null(strstr(str_text(&w->answer.body), "\"filename\":\"a.mp4\""));
	assert_null(strstr(str_text(&w->answer.body), "\"created_at\":null"));
	assert_null(strstr(str_text(&w->answer.body), "\"updated_at\":null"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define F(name) cmocka_unit_test_setup_teardown(name, set_up_files, tear_down)
	static const struct CMUnitTest tests[] = {
		T(an_accepted_upload_is_stored_queued_and_announced),
		T(with_the_broker_away_the_upload_still_succeeds),
		T(what_is_not_exactly_one_file_is_refused_and_leaves_nothing),
		T(a_file_over_the_limit_is_too_large),
		T(every_lost_call_of_a_store_is_503_and_leaves_nothing),
		T(an_upload_whose_bytes_may_still_arrive_is_left_to_the_janitor),
		T(a_ledger_that_is_away_is_503),
		T(the_token_comes_before_all_else),
		T(each_verdict_of_auth_is_the_status_that_clients_know),
		T(bytes_go_to_their_owner_alone),
		F(bytes_go_to_their_owner_alone),
		T(a_hostile_content_type_never_reaches_a_browser),
		F(a_hostile_content_type_never_reaches_a_browser),
		T(ranges_and_conditions_are_honoured),
		F(ranges_and_conditions_are_honoured),
		T(a_job_is_shown_to_its_owner_as_json_and_to_nobody_else),
		T(an_upload_that_asks_for_json_gets_its_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
