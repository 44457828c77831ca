/* A gateway on a real socket among fakes, and how to ask it. */
#ifndef TONEARM_TEST_GATEWAY_WORLD_H
#define TONEARM_TEST_GATEWAY_WORLD_H

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
static inline int
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
static inline struct blob_id
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

static inline const char *
download_path(const struct blob_id *id)
{
	static char path[64];

	(void)snprintf(path, sizeof path, "/download?fid=%s", id->hex);
	return path;
}

#endif
