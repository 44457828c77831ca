/* The gateway's use cases on a real socket, among fakes: what is stored, queued, answered, and to
 * whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "contract/blob/blob_dir_fixture.h"
#include "fake/blob/blob_fake.h"
#include "fake/identity_fake.h"
#include "flow/job_routes.h"
#include "fake/job/job_fake.h"
#include "gateway/gateway.h"
#include "net/http_client.h"

#define FORM "multipart/form-data; boundary=x"
#define ONE_FILE                                                                                   \
	"--x\r\nContent-Disposition: form-data; name=\"file\"; "                                   \
	"filename=\"a.mp4\"\r\n\r\nvideo\r\n--x--\r\n"
#define TWO_FILES                                                                                  \
	"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n1\r\n"           \
	"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n2\r\n--x--\r\n"
#define NO_FILE "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n"
#define EMPTY_FILE                                                                                 \
	"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n\r\n--x--\r\n"
#define CUT_SHORT "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nvideo"

/* A broker that counts, and can be away. */
struct counting_publisher {
	struct publisher port;
	int published, code;
};

static int
count_publish(struct publisher *p, const struct message *m, struct err *e)
{
	struct counting_publisher *c = CONTAINER_OF(p, struct counting_publisher, port);

	(void)m;
	if (c->code < 0)
		return err_set(e, c->code, "the broker is away");
	c->published++;
	return 0;
}

static int
count_ping(struct publisher *p, struct err *e)
{
	(void)p;
	(void)e;
	return 0;
}

static void
count_close(struct publisher *p)
{
	(void)p;
}

static const struct publisher_ops counting_ops = { count_publish, count_ping, count_close };

struct world {
	struct outbox_route routes[1];
	struct outbox outbox;
	struct ledger *ledger;
	struct gateway gateway;
	struct counting_publisher broker;
	struct http_server *server;
	struct http_client *client;
	struct http_client_response answer;
	struct dir_fixture folder; /* of set_up_files */
};

static void
believe(struct world *w, const char *token, const char *user, bool admin)
{
	struct claims claims = { .exp = INT64_MAX, .iat = 1, .admin = admin };

	(void)snprintf(claims.username, sizeof claims.username, "%s", user);
	identity_fake_believe(w->gateway.identity, token, &claims);
}

static int
set_up(void **state)
{
	struct http_server_config http = http_server_defaults();
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->broker.port.ops = &counting_ops;
	assert_int_equal(identity_fake_new("Basic right", "token", &w->gateway.identity, NULL), 0);
	assert_int_equal(blob_fake_new(&w->gateway.videos, NULL), 0);
	assert_int_equal(blob_fake_new(&w->gateway.mp3s, NULL), 0);
	assert_int_equal(job_fake_new(NULL, &w->ledger, NULL), 0);
	w->gateway.jobs = &w->ledger->life;
	w->gateway.desk = &w->ledger->desk;
	w->routes[0] = job_route_video("video");
	w->outbox = (struct outbox){ &w->ledger->outbox, w->routes, ARRAY_LEN(w->routes) };
	w->gateway.announcer =
		(struct relay_announcer){ .outbox = &w->outbox, .publisher = &w->broker.port };
	w->gateway.allow_ownerless = true;
	believe(w, "ann", "ann@example.org", true);
	believe(w, "bob", "bob@example.org", true);
	believe(w, "guest", "guest@example.org", false);
	http.address = "127.0.0.1";
	http.port = 0;
	http.routes = gateway_routes;
	http.route_count = gateway_route_count;
	http.service = &w->gateway;
	assert_int_equal(http_server_start(&http, &w->server, NULL), 0);
	assert_int_equal(http_client_new(2, &w->client, NULL), 0);
	*state = w;
	return 0;
}

/* The same, with results in files: they go another way to the client. */
static int
set_up_files(void **state)
{
	struct world *w;

	if (set_up(state) < 0)
		return -1;
	w = *state;
	blob_store_close(w->gateway.mp3s);
	assert_int_equal(dir_fixture_start(&w->folder), 0);
	w->gateway.mp3s = dir_fixture_open(&w->folder, "mp3s");
	return w->gateway.mp3s ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	str_free(&w->answer.body);
	http_client_free(w->client);
	http_server_close(w->server);
	ledger_close(w->ledger);
	blob_store_close(w->gateway.videos);
	blob_store_close(w->gateway.mp3s);
	identity_close(w->gateway.identity);
	if (w->folder.path[0])
		dir_fixture_stop(&w->folder);
	free(w);
	return 0;
}

/* The status; the answer's body stays in w. */
static int
ask(struct world *w, const char *method, const char *path, const char *token, const char *extra,
    const char *body)
{
	char url[512], authorization[128];
	const char *headers[] = { authorization, extra ? extra : "X-None: 1", "Content-Type: " FORM,
				  NULL };
	struct http_client_request request = { .method = method,
					       .url = url,
					       .headers = headers,
					       .body = body,
					       .body_len = body ? strlen(body) : 0,
					       .timeout_ms = 10000 };
	struct err e = ERR_NONE;

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(w->server), path);
	(void)snprintf(authorization, sizeof authorization, "%s %s",
		       token ? "Authorization: Bearer" : "X-No:", token ? token : "token");
	str_free(&w->answer.body);
	w->answer = (struct http_client_response){ .body = STR_MAX(1024 * 1024) };
	if (http_client_send(w->client, &request, &w->answer, &e) < 0)
		fail_msg("%s %s: %s", method, path, e.text);
	return w->answer.status;
}

#define EXPECT(w, status, words, ...)                                                              \
	do {                                                                                       \
		assert_int_equal(ask(w, __VA_ARGS__), status);                                     \
		assert_string_equal(str_text(&(w)->answer.body), words);                           \
	} while (0)

static int64_t
jobs_in(struct world *w, enum job_state state)
{
	struct job_counts counts;

	assert_int_equal(job_count(&w->ledger->desk, &counts, NULL), 0);
	return counts.by_state[state];
}

/* owner NULL: one that cannot be read */
static struct blob_id
store_mp3(struct world *w, const char *owner, const char *type, const char *bytes)
{
	struct blob_id id = blob_id_new();
	SCOPED(blob_writer_close_p) struct blob_writer *writer = NULL;
	struct blob_meta meta = { .owner_unreadable = !owner };

	(void)snprintf(meta.owner, sizeof meta.owner, "%s", owner ? owner : "");
	(void)snprintf(meta.content_type, sizeof meta.content_type, "%s", type);
	assert_int_equal(blob_create(w->gateway.mp3s, &id, &meta, &writer, NULL), 0);
	assert_int_equal(blob_write(writer, bytes, strlen(bytes), NULL), 0);
	assert_int_equal(blob_commit(writer, NULL), 0);
	return id;
}

static const char *
download_path(const struct blob_id *id)
{
	static char path[64];

	(void)snprintf(path, sizeof path, "/download?fid=%s", id->hex);
	return path;
}

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
