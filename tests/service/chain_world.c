#include "service/chain_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log/log.h"
#include "converter/convert.h"
#include "converter/permit.h"
#include "flow/job_routes.h"
#include "fake/blob/blob_fake.h"
#include "fake/encoder_fake.h"
#include "fake/identity_fake.h"
#include "fake/job/job_fake.h"

#define ROUND_MS 61000 /* longer than a lease */
#define ROUNDS_MAX 60
#define WAIT_MS 5000

static struct http_server *server;
static struct http_client *client;
static struct gateway served; /* changed only between requests */
static FILE *lines;

static atomic_bool short_of_memory;

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return atomic_load(&short_of_memory) ? NULL : __real_malloc(size);
}

void
chain_short_of_memory(bool is_short)
{
	atomic_store(&short_of_memory, is_short);
}

void __wrap_wait_pause(int64_t ms);

/* The services' own pauses cost nothing here: the clock is the test's. */
void
__wrap_wait_pause(int64_t ms)
{
	(void)ms;
}

int
chain_net_start(void)
{
	struct http_server_config http = http_server_defaults();

	http.address = "127.0.0.1";
	http.routes = gateway_routes;
	http.route_count = gateway_route_count;
	http.service = &served;
	if ((lines = tmpfile()) == NULL)
		return -1;
	log_init("chain", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, fileno(lines));
	return http_server_start(&http, &server, NULL) < 0 || http_client_new(1, &client, NULL) < 0
		       ? -1
		       : 0;
}

void
chain_net_stop(void)
{
	http_client_free(client);
	http_server_close(server);
}

static int64_t
chain_now(const struct clock *port)
{
	/* Reading is no change that a caller could see. */
	union {
		const struct clock *given;
		struct clock *port;
	} u = { .given = port };

	return atomic_load(&CONTAINER_OF(u.port, struct chain_clock, port)->unix_ms);
}

static void
open_stores(struct chain *c)
{
	struct claims claims = {
		.username = CHAIN_USER, .exp = INT64_MAX, .iat = 1, .admin = true
	};
	struct identity *identity;
	struct gateway *g = &c->gateway;

	assert_int_equal(blob_fake_new(&c->videos, NULL), 0);
	assert_int_equal(blob_fake_new(&c->mp3s, NULL), 0);
	assert_int_equal(job_fake_new(&c->clock.port, &c->jobs, NULL), 0);
	assert_int_equal(encoder_fake_new(&c->encoder, NULL), 0);
	assert_int_equal(identity_fake_new("Basic right", "ann", &identity, NULL), 0);
	identity_fake_believe(identity, "ann", &claims);
	g->identity = faulty_identity(identity, &c->faults);
	g->videos = faulty_blob_store(c->videos, &c->faults);
	g->mp3s = faulty_blob_store(c->mp3s, &c->faults);
	c->ledger = faulty_ledger(c->jobs, &c->faults);
	g->jobs = &c->ledger->life;
	g->desk = &c->ledger->desk;
	g->allow_ownerless = true;
}

static struct consumer *
open_consumer(struct chain *c, const char *const *queues, size_t count)
{
	struct consumer *inner;

	assert_int_equal(consumer_fake_new(c->broker, queues, count, 1, &inner, NULL), 0);
	return faulty_consumer(inner, c->broker, &c->faults);
}

static void
open_queues(struct chain *c)
{
	static const char *const video[] = { "video" }, *const results[] = { "mp3", "failed" };
	struct publisher *publisher;

	assert_int_equal(queue_broker_new(&c->broker, NULL), 0);
	assert_int_equal(publisher_fake_new(c->broker, &publisher, NULL), 0);
	c->routes[0] = job_route_mp3("mp3");
	c->routes[1] = job_route_failed("failed");
	c->routes[2] = job_route_video("video");
	c->outbox = (struct outbox){ &c->ledger->outbox, c->routes, ARRAY_LEN(c->routes) };
	c->gateway.announcer =
		(struct relay_announcer){ .outbox = &c->outbox,
					  .publisher = faulty_publisher(publisher, &c->faults) };
	c->permits = open_consumer(c, video, 1);
	c->notifier = (struct notifier){ .consumer = open_consumer(c, results, 2),
					 .jobs = &c->ledger->notice,
					 .mp3_queue = "mp3",
					 .failed_queue = "failed",
					 .owner = "test/1" };
}

struct chain *
chain_new(void)
{
	struct chain *c = calloc(1, sizeof *c);

	assert_non_null(c);
	c->clock.port.unix_ms = chain_now;
	atomic_init(&c->clock.unix_ms, 1700000000000);
	fair_init(&c->fair);
	open_stores(c);
	open_queues(c);
	c->converter = (struct converter){ .videos = c->gateway.videos,
					   .mp3s = c->gateway.mp3s,
					   .jobs = &c->ledger->life,
					   .fair = &c->fair,
					   .encoder = faulty_encoder(c->encoder, &c->faults),
					   .announcer = c->gateway.announcer,
					   .owner = "test/1",
					   .lease_ms = 60000,
					   .hand_back = &c->hand_back };
	served = c->gateway;
	assert_int_equal(ftruncate(fileno(lines), 0), 0);
	rewind(lines);
	return c;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	str_free(&c->answer.body);
	consumer_close(c->permits);
	consumer_close(c->notifier.consumer);
	publisher_close(c->gateway.announcer.publisher);
	queue_broker_free(c->broker);
	encoder_close(c->converter.encoder);
	identity_close(c->gateway.identity);
	ledger_close(c->ledger);
	fair_fini(&c->fair);
	blob_store_close(c->gateway.videos);
	blob_store_close(c->gateway.mp3s);
	free(c);
}

/* What a request holds is given up after its answer: nothing may look at the stores before. */
static void
wait_for_end(void)
{
	int64_t until = now_monotonic_ms() + WAIT_MS;

	while (http_server_connections(server) > 0) {
		assert_true(now_monotonic_ms() < until);
		(void)nanosleep(&(struct timespec){ 0, 100000 }, NULL);
	}
}

int
chain_ask(struct chain *c, const char *path, const char *authorization, const char *body)
{
	char url[256], header[128];
	const char *headers[] = { header, "Connection: close",
				  "Content-Type: multipart/form-data; boundary=x", NULL };
	struct http_client_request request = { .method = body ? "POST" : "GET",
					       .url = url,
					       .headers = headers,
					       .body = body,
					       .body_len = body ? strlen(body) : 0,
					       .timeout_ms = 10000 };
	int r;

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(server), path);
	(void)snprintf(header, sizeof header, "Authorization: %s", authorization);
	str_free(&c->answer.body);
	c->answer = (struct http_client_response){ .body = STR_MAX(65536) };
	r = http_client_send(client, &request, &c->answer, NULL);
	wait_for_end();
	return r < 0 ? 0 : c->answer.status;
}

static void
convert_all(struct chain *c)
{
	struct queue_delivery d;
	struct job job;

	while (queue_next(c->permits, 0, &d, NULL) == 0) {
		enum permit took = permit_take(&c->converter, c->permits, &d, &job);

		queue_delivery_free(&d);
		if (took == PERMIT_JOB || took == PERMIT_OTHER_JOB)
			(void)convert_job(&c->converter, &job);
		if (took == PERMIT_SERVER_LOST)
			break; /* a pause in a converter; the next round here */
	}
}

static void
notify_all(struct chain *c)
{
	struct queue_delivery d;
	struct err e;

	while (notify_settle(&c->notifier, &e) == 0 &&
	       queue_next(c->notifier.consumer, 0, &d, NULL) == 0)
		if (notify(&c->notifier, &d, &e) == NOTICE_LATER)
			break;
}

static bool
is_settled(struct chain *c)
{
	static const char *const queues[] = { "video", "mp3", "failed" };
	struct job unpublished;
	size_t count = 0, messages = 0;

	for (size_t i = 0; i < ARRAY_LEN(queues); i++)
		messages += queue_broker_count(c->broker, queues[i]);
	assert_int_equal(job_list_unpublished(&c->jobs->outbox, JOB_PUBLISH_RESULT, &unpublished, 1,
					      &count, NULL),
			 0);
	return messages == 0 && count == 0 &&
	       chain_jobs(c, JOB_QUEUED) + chain_jobs(c, JOB_LEASED) == 0;
}

void
chain_settle(struct chain *c)
{
	const struct relay_config relay = { .outbox = &c->outbox,
					    .publisher = c->gateway.announcer.publisher };
	int sent;

	for (int i = 0; i < ROUNDS_MAX && !is_settled(c); i++) {
		(void)relay_round(&relay, &sent, NULL);
		convert_all(c);
		notify_all(c);
		(void)atomic_fetch_add(&c->clock.unix_ms, ROUND_MS);
	}
	assert_true(is_settled(c));
}

int64_t
chain_jobs(struct chain *c, enum job_state state)
{
	struct job_counts counts;

	assert_int_equal(job_count(&c->jobs->desk, &counts, NULL), 0);
	return counts.by_state[state];
}

static int
count_lines(const char *wanted)
{
	static char text[16384];
	ssize_t n = pread(fileno(lines), text, sizeof text - 1, 0);
	int count = 0;

	assert_in_range(n, 0, sizeof text - 2);
	text[n] = '\0';
	for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		*end = '\0';
		count += wanted == NULL || strcmp(at, wanted) == 0;
	}
	return count;
}

int
chain_lines(void)
{
	return count_lines(NULL);
}

int
chain_said(const char *line)
{
	return count_lines(line);
}
