/* The HTTP server on a real socket: routes, framing, refusals, limits, slow clients, drain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/scope.h"
#include "net/http_server.h"

#define ANSWER_MAX ((size_t)4 << 20)
#define HOST "Host: a\r\n"
#define WAIT_MS 5000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int states_made, states_freed, streams_freed, observed, last_status;
static bool hold; /* /hold waits until it is false */
static int held;

static void
count(int *what)
{
	pthread_mutex_lock(&lock);
	(*what)++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Waits until *what is at least n. */
static void
await(const int *what, int n)
{
	struct timespec at;
	bool in_time = true;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&lock);
	while (*what < n && in_time)
		in_time = pthread_cond_timedwait(&changed, &lock, &at) != ETIMEDOUT;
	pthread_mutex_unlock(&lock);
	assert_true(in_time);
}

static void
observe(const struct http_done *done, void *arg)
{
	(void)arg;
	assert_true(done->request_id[0] != '\0');
	pthread_mutex_lock(&lock);
	last_status = done->status;
	pthread_mutex_unlock(&lock);
	count(&observed);
}

static void
free_size(void *size)
{
	free(size);
	count(&states_freed);
}

static void
on_login(struct http_request *req, void *service)
{
	(void)service;
	http_reply_text(req, 200, "token");
}

static void
on_upload(struct http_request *req, void *service)
{
	(void)service;
	if (http_header(req, "Authorization") == NULL) {
		http_reply_text(req, 401, "missing credentials");
		return;
	}
	count(&states_made);
	http_set_state(req, calloc(1, sizeof(size_t)), free_size);
}

static void
on_upload_body(struct http_request *req, void *service, const char *data, size_t len)
{
	size_t *size = http_state(req);

	(void)service;
	*size += len;
	if (memchr(data, '!', len) != NULL)
		http_reply_busy(req, 503, "service unavailable", 7);
}

static void
on_upload_end(struct http_request *req, void *service)
{
	char text[32];

	(void)service;
	snprintf(text, sizeof text, "%zu", *(size_t *)http_state(req));
	http_reply_text(req, 200, text);
}

static void
on_echo(struct http_request *req, void *service)
{
	const char *a = http_query(req, "a");
	char text[512];

	(void)service;
	snprintf(text, sizeof text, "[%s] %d %s %s", a ? a : "none", http_query_has_nul(req, "a"),
		 http_client_address(req), http_path_tail(req));
	http_reply_text(req, 200, text);
}

static int64_t
read_x(void *arg, char *to, size_t max)
{
	int64_t *left = arg;

	if (*left < 0)
		return ERR_UNAVAILABLE;
	memset(to, 'x', max);
	return (int64_t)max;
}

static void
free_stream(void *arg)
{
	free(arg);
	count(&streams_freed);
}

static void
on_stream(struct http_request *req, void *service)
{
	const char *n = http_query(req, "n");
	int64_t *size = malloc(sizeof *size);

	(void)service;
	*size = n ? atoll(n) : -1;
	http_reply_stream(req, &(struct http_reply){ .status = 200, .content_type = "audio/mpeg" },
			  *size < 0 ? 100 : *size, read_x, free_stream, size);
}

static void
on_hold(struct http_request *req, void *service)
{
	(void)service;
	count(&held);
	pthread_mutex_lock(&lock);
	while (hold)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	http_reply_text(req, 200, "held");
}

static const struct http_route routes[] = {
	{ HTTP_POST, "/login", on_login, NULL, NULL },
	{ HTTP_POST, "/upload", on_upload, on_upload_body, on_upload_end },
	{ HTTP_GET, "/echo", on_echo, NULL, NULL },
	{ HTTP_GET, "/jobs/*", on_echo, NULL, NULL },
	{ HTTP_GET, "/stream", on_stream, NULL, NULL },
	{ HTTP_GET, "/hold", on_hold, NULL, NULL },
};

static struct http_server_config
test_config(void)
{
	struct http_server_config config = http_server_defaults();

	config.address = "127.0.0.1";
	config.routes = routes;
	config.route_count = ARRAY_LEN(routes);
	config.observer = observe;
	return config;
}

static struct http_server *
start(const struct http_server_config *config)
{
	struct http_server *s = NULL;
	struct err e = ERR_NONE;

	if (http_server_start(config, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static int
dial(const struct http_server *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((uint16_t)http_server_port(s)) };
	struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	return fd;
}

static void
say(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the server closed: the answer tells */
		data += n;
		len -= (size_t)n;
	}
}

static void
say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

/* All until the server closes; fails when it does not within WAIT_MS. */
static char *
hear(int fd)
{
	char *text = malloc(ANSWER_MAX + 1);
	size_t len = 0;
	ssize_t n;

	while (len < ANSWER_MAX && (n = recv(fd, text + len, ANSWER_MAX - len, 0)) > 0)
		len += (size_t)n;
	assert_true(len == ANSWER_MAX || n == 0 || errno == ECONNRESET);
	text[len] = '\0';
	close(fd);
	return text;
}

static char *
ask_bytes(const struct http_server *s, const char *request, size_t len)
{
	int fd = dial(s);

	say(fd, request, len);
	return hear(fd);
}

static void
expect(const struct http_server *s, const char *request, size_t len, const char *status,
       const char *part)
{
	SCOPED_FREE char *got = ask_bytes(s, request, len);

	if (strncmp(got, "HTTP/1.1 ", 9) != 0 || strncmp(got + 9, status, 3) != 0 ||
	    (part && strstr(got, part) == NULL))
		fail_msg("%s\n-> wanted %s %s, got\n%s", request, status, part ? part : "", got);
}

#define EXPECT(s, text, status, part) expect(s, text, sizeof(text) - 1, status, part)
#define CLOSE "Connection: close\r\n"

static void
routes_answer_as_the_contract_says(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s, "POST /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "\r\n\r\ntoken");
	EXPECT(s, "POST ///login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "Content-Length: 5\r\n");
	EXPECT(s, "POST http://a/login HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", NULL);
	EXPECT(s, "POST /login/ HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", "\r\n\r\nnot found");
	EXPECT(s, "GET /LOGIN HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", "text/html; charset=utf-8");
	EXPECT(s, "GET /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "Allow: OPTIONS, POST");
	EXPECT(s, "FOO //login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "method not allowed");
	EXPECT(s, "FOO /nope HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "HEAD /login HTTP/1.1\r\n" HOST CLOSE "\r\n", "405", "Content-Length: 0");
	EXPECT(s, "OPTIONS /echo HTTP/1.1\r\n" HOST CLOSE "\r\n", "200",
	       "Allow: OPTIONS, GET, HEAD");
	EXPECT(s, "GET /jobs/a%62c HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "127.0.0.1 abc");
	EXPECT(s, "GET /jobs/ HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "GET /jobs/a/b HTTP/1.1\r\n" HOST CLOSE "\r\n", "404", NULL);
	EXPECT(s, "GET /echo?a=%31&a=2 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[1] 0");
	EXPECT(s, "GET /echo?A=1 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[none] 0");
	EXPECT(s, "GET /echo?a HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[] 0");
	EXPECT(s, "GET /echo?a=x%00y HTTP/1.1\r\n" HOST CLOSE "\r\n", "200", "[x] 1");
	EXPECT(s, "GET /echo HTTP/1.0\r\n\r\n", "200", NULL);
	EXPECT(s, "GET /echo HTTP/1.1\r\n" HOST CLOSE "X-Request-Id: a.B-9_\r\n\r\n", "200",
	       "X-Request-Id: a.B-9_\r\n");
	EXPECT(s, "GET /echo HTTP/1.1\r\n" HOST CLOSE "X-Request-Id: a b\r\n\r\n", "200",
	       "X-Request-Id: ");
}

static void
doubtful_heads_are_refused_and_closed(void **state)
{
	static const struct {
		const char *lines;
		size_t len;
	} rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
		ROW("POST /login HTTP/1.1\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST HOST "\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Authorization: a\r\nauthorization: a\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST
		    "Content-Length: 18446744073709551615\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\rY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X : a\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\nx"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\r\n \r\nY: b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "no colon\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST ": a\r\nX: y\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST ":\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /login HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
		ROW("POST /login HTTP/1.1\r\nX: a\0b\r\n" HOST "\r\n"),
		ROW("POST /login\0 HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /login%00 HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST /lo gin HTTP/1.1\r\n" HOST "\r\n"),
		ROW("POST  /login HTTP/1.1\r\n" HOST "\r\n"),
	};
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(s, rows[i].lines, rows[i].len, "400", NULL);
}

#define CHUNKED                                                                                    \
	"POST /upload HTTP/1.1\r\n" HOST CLOSE                                                     \
	"Authorization: x\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
chunked_bodies_are_read_and_bad_ones_refused(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s, CHUNKED "5;x=y\r\nabcde\r\nA\r\n0123456789\r\n0\r\nT: z\r\n\r\n", "200",
	       "\r\n\r\n15");
	EXPECT(s, CHUNKED "10000000000000005\r\nabcde\r\n0\r\n\r\n", "413", NULL);
	EXPECT(s, CHUNKED "xyz\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "-5\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "0x5\r\nabcde\r\n0\r\n\r\n", "400", NULL);
	EXPECT(s, CHUNKED "5\r\nabcdeX\r\n0\r\n\r\n", "400", NULL);
	await(&states_freed, states_made);
	assert_int_equal(states_freed, states_made);
}

static void
heads_of_16_kib_pass_and_over_32_kib_are_431(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static const size_t sizes[] = { 16000, 32000, 33000, 50000, 100000 };
	static const char *const want[] = { "200", "200", "431", "431", "431" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		static const char start_line[] = "POST /login HTTP/1.1\r\n" HOST CLOSE "X: ";
		SCOPED_FREE char *request = malloc(sizes[i] + 200);

		memcpy(request, start_line, sizeof start_line - 1);
		memset(request + sizeof start_line - 1, 'a', sizes[i]);
		memcpy(request + sizeof start_line - 1 + sizes[i], "\r\n\r\n", 5);
		expect(s, request, sizeof start_line - 1 + sizes[i] + 4, want[i], NULL);
	}
}

static void
keep_alive_serves_pipelined_requests_in_order(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static const char requests[] =
		"POST /login HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\n\r\nbodyPOST /upload HTTP/1.1\r\n" HOST
		"Authorization: x\r\nContent-Length: 3\r\n\r\nabcGET /echo?a=z HTTP/1.1\r\n" HOST
			CLOSE "\r\n";
	SCOPED_FREE char *got = ask_bytes(s, requests, sizeof requests - 1);
	const char *first = strstr(got, "\r\n\r\ntoken"), *second = strstr(got, "\r\n\r\n3");

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_non_null(strstr(second, "[z]"));
}

static void
a_refused_body_is_read_and_the_refusal_seen(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	const size_t size = (size_t)37 << 20;
	SCOPED_FREE char *data = calloc(1, size);
	char head[128];

	(void)state;
	snprintf(head, sizeof head,
		 "POST /upload HTTP/1.1\r\n" HOST CLOSE "Content-Length: %zu\r\n\r\n", size);
	for (int i = 0; i < 10; i++) {
		int fd = dial(s);

		say_text(fd, head);
		say(fd, data, size);
		SCOPED_FREE char *got = hear(fd);
		assert_non_null(strstr(got, "401 Unauthorized"));
		assert_non_null(strstr(got, "missing credentials"));
	}
}

static void
a_refusal_past_the_limits_is_sent_and_closed(void **state)
{
	struct http_server_config config = test_config();
	int fd;

	(void)state;
	config.discard_bytes = 1000;
	config.discard_ms = 200;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	static char data[100000];
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
	say(fd, data, sizeof data);
	SCOPED_FREE char *by_bytes = hear(fd);
	assert_non_null(strstr(by_bytes, " 401 "));
	assert_non_null(strstr(by_bytes, "\r\n\r\nmissing credentials"));
	assert_non_null(strstr(by_bytes, "Connection: close"));
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\nabc");
	SCOPED_FREE char *by_time = hear(fd);
	assert_non_null(strstr(by_time, "\r\n\r\nmissing credentials"));
}

static void
expect_100_continue_is_refused_at_once_or_continued(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	char line[64] = "";
	int fd;

	(void)state;
	EXPECT(s,
	       "POST /upload HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
	       "401", "missing credentials");
	fd = dial(s);
	say_text(fd, "POST /upload HTTP/1.1\r\n" HOST CLOSE
		     "Authorization: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_true(recv(fd, line, 25, MSG_WAITALL) == 25);
	assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
	say_text(fd, "abc");
	SCOPED_FREE char *got = hear(fd);
	assert_non_null(strstr(got, "\r\n\r\n3"));
}

static void
an_answer_in_mid_body_stops_the_handler(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);

	(void)state;
	EXPECT(s,
	       "POST /upload HTTP/1.1\r\n" HOST CLOSE
	       "Authorization: x\r\nContent-Length: 6\r\n\r\nab!cde",
	       "503", "Retry-After: 7\r\n");
}

static void
a_client_that_goes_away_frees_the_state_once(void **state)
{
	static const char request[] = "POST /upload HTTP/1.1\r\n" HOST
				      "Authorization: x\r\nContent-Length: 9\r\n\r\nabcdefgh";
	struct http_server_config config = test_config();
	struct http_server *s = start(&config);
	int made = states_made;

	(void)state;
	for (size_t n = 1; n < sizeof request; n++) {
		int fd = dial(s);

		say(fd, request, n);
		close(fd);
	}
	await(&states_made, made + 9); /* as many as have a whole head */
	await(&states_freed, made + 9);
	http_server_drain(s, WAIT_MS);
	assert_int_equal(http_server_connections(s), 0);
	http_server_close(s);
	assert_int_equal(states_freed, states_made);
	assert_int_equal(last_status, 0);
}

static void
streams_have_their_length_and_break_visibly(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	int freed = streams_freed;
	SCOPED_FREE char *whole = NULL;
	SCOPED_FREE char *cut = NULL;

	(void)state;
	whole = ask_bytes(s, "GET /stream?n=700000 HTTP/1.0\r\n\r\n", 33);
	assert_non_null(strstr(whole, "Content-Length: 700000\r\n"));
	assert_int_equal(strlen(strstr(whole, "\r\n\r\n") + 4), 700000);
	EXPECT(s, "HEAD /stream?n=700000 HTTP/1.1\r\n" HOST CLOSE "\r\n", "200",
	       "Content-Length: 700000\r\n");
	cut = ask_bytes(s, "GET /stream HTTP/1.0\r\n\r\n", 24);
	assert_null(strchr(cut, 'x') ? strstr(cut, "xxxx") : NULL);
	await(&streams_freed, freed + 3);
}

static void
connections_past_the_limit_get_503(void **state)
{
	struct http_server_config config = test_config();

	(void)state;
	config.max_connections = 2;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	hold = true;
	held = 0;
	int first = dial(s), second = dial(s);
	say_text(first, "GET /hold HTTP/1.1\r\n" HOST CLOSE "\r\n");
	say_text(second, "GET /hold HTTP/1.1\r\n" HOST CLOSE "\r\n");
	await(&held, 2);
	EXPECT(s, "POST /login HTTP/1.1\r\n" HOST "\r\n", "503", "Retry-After: 1\r\n");
	assert_int_equal(http_server_connections(s), 2);
	pthread_mutex_lock(&lock);
	hold = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	free(hear(first));
	free(hear(second));
}

static void
slow_clients_are_shut(void **state)
{
	static const char *const slow[] = {
		"",
		"POST /upload HTTP/1.1\r\nHos",
		"POST /upload HTTP/1.1\r\n" HOST "Authorization: x\r\nContent-Length: 9\r\n\r\nabc",
		"POST /login HTTP/1.1\r\n" HOST "\r\n",
		"POST /login HTTP/1.1\r\n" HOST "\r\nPOST /login HTT",
	};
	struct http_server_config config = test_config();

	(void)state;
	config.head_timeout_ms = 200;
	config.idle_timeout_ms = 200;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		SCOPED_FREE char *got = ask_bytes(s, slow[i], strlen(slow[i]));

		assert_true((strstr(got, "200 OK") != NULL) == (i >= 3));
	}
}

static void
a_client_that_does_not_read_is_shut(void **state)
{
	struct http_server_config config = test_config();
	int freed = streams_freed, fd;

	(void)state;
	config.idle_timeout_ms = 300;
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	fd = dial(s);
	say_text(fd, "GET /stream?n=1000000000 HTTP/1.1\r\n" HOST "\r\n");
	await(&streams_freed, freed + 1);
	close(fd);
}

static void
forwarded_addresses_are_believed_from_trusted_proxies_only(void **state)
{
	static const struct {
		const char *trusted, *forwarded, *want;
	} rows[] = {
		{ "", "X-Forwarded-For: 203.0.113.9\r\n", " 127.0.0.1 " },
		{ "10.0.0.0/8", "X-Forwarded-For: 203.0.113.9\r\n", " 127.0.0.1 " },
		{ "127.0.0.0/8", "X-Forwarded-For: 203.0.113.9\r\n", " 203.0.113.9 " },
		{ "127.0.0.1, 10.0.0.0/8", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\n",
		  " 203.0.113.9 " },
		{ "127.0.0.1,10.0.0.0/8",
		  "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.9.9.9\r\n",
		  " 203.0.113.9 " },
		{ "127.0.0.1", "X-Forwarded-For: 6.6.6.6, nonsense\r\n", " 127.0.0.1 " },
		{ "127.0.0.1,2001:db8::/32", "X-Forwarded-For: 2001:db9::1, [2001:db8::2]:80\r\n",
		  " 2001:db9::1 " },
		{ "127.0.0.1", "", " 127.0.0.1 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_server_config config = test_config();
		char request[512];

		config.trusted_proxies = rows[i].trusted;
		SCOPED(http_server_close_p) struct http_server *s = start(&config);
		int n = snprintf(request, sizeof request,
				 "GET /echo HTTP/1.1\r\n" HOST CLOSE "%s\r\n", rows[i].forwarded);
		expect(s, request, (size_t)n, "200", rows[i].want);
	}
}

static void
bad_configurations_are_refused_with_words(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	struct http_server *untouched = NULL;
	struct err e = ERR_NONE;

	(void)state;
	config.port = http_server_port(s);
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "127.0.0.1 port "));
	config.port = 0;
	config.trusted_proxies = "10.0.0.0/33";
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_INVALID);
	config.trusted_proxies = "";
	config.address = "no address";
	assert_int_equal(http_server_start(&config, &untouched, &e), ERR_INVALID);
	assert_null(untouched);
}

static void *
drain(void *s)
{
	http_server_drain(s, WAIT_MS);
	return NULL;
}

static void
a_drain_closes_idle_connections_and_waits_for_busy_ones(void **state)
{
	struct http_server_config config = test_config();
	SCOPED(http_server_close_p) struct http_server *s = start(&config);
	int idle = dial(s), busy = dial(s);
	pthread_t thread;
	char byte;

	(void)state;
	hold = true;
	held = 0;
	say_text(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	await(&held, 1);
	pthread_create(&thread, NULL, drain, s);
	assert_int_equal(recv(idle, &byte, 1, 0), 0);
	close(idle);
	pthread_mutex_lock(&lock);
	hold = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	SCOPED_FREE char *got = hear(busy);
	assert_non_null(strstr(got, "\r\n\r\nheld"));
	assert_non_null(strstr(got, "Connection: close"));
	pthread_join(thread, NULL);
	assert_int_equal(http_server_connections(s), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_answer_as_the_contract_says),
		cmocka_unit_test(doubtful_heads_are_refused_and_closed),
		cmocka_unit_test(chunked_bodies_are_read_and_bad_ones_refused),
		cmocka_unit_test(heads_of_16_kib_pass_and_over_32_kib_are_431),
		cmocka_unit_test(keep_alive_serves_pipelined_requests_in_order),
		cmocka_unit_test(a_refused_body_is_read_and_the_refusal_seen),
		cmocka_unit_test(a_refusal_past_the_limits_is_sent_and_closed),
		cmocka_unit_test(expect_100_continue_is_refused_at_once_or_continued),
		cmocka_unit_test(an_answer_in_mid_body_stops_the_handler),
		cmocka_unit_test(a_client_that_goes_away_frees_the_state_once),
		cmocka_unit_test(streams_have_their_length_and_break_visibly),
		cmocka_unit_test(connections_past_the_limit_get_503),
		cmocka_unit_test(slow_clients_are_shut),
		cmocka_unit_test(a_client_that_does_not_read_is_shut),
		cmocka_unit_test(forwarded_addresses_are_believed_from_trusted_proxies_only),
		cmocka_unit_test(bad_configurations_are_refused_with_words),
		cmocka_unit_test(a_drain_closes_idle_connections_and_waits_for_busy_ones),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
