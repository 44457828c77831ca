/* The HTTP client against our own server and against servers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/scope.h"
#include "net/http_client.h"

/* A server that answers each accepted connection's requests from a script. */
struct script {
	const char *const
		*answers; /* per request; NULL entry = close without an answer; "" = say nothing */
	int fd, port, connections;
	char last[4096];
	pthread_t thread;
};

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 3000) > 0;
}

static void *
serve(void *arg)
{
	struct script *s = arg;
	int fd = -1;

	for (const char *const *a = s->answers; *a == NULL || strcmp(*a, "end") != 0; a++) {
		ssize_t n = 0;

		while (n <= 0) {
			if (fd < 0) {
				if (!readable(s->fd) || (fd = accept(s->fd, NULL, NULL)) < 0)
					return NULL;
				s->connections++;
			}
			n = readable(fd) ? recv(fd, s->last, sizeof s->last - 1, 0) : 0;
			if (n <= 0) {
				close(fd);
				fd = -1;
			}
		}
		s->last[n] = '\0';
		if (*a == NULL) {
			close(fd);
			fd = -1;
		} else if (**a == '\0') {
			readable(fd); /* until the client gives up */
		} else {
			send(fd, *a, strlen(*a), MSG_NOSIGNAL);
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void
script_start(struct script *s, const char *const *answers)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	memset(s, 0, sizeof *s);
	s->answers = answers;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	getsockname(s->fd, (struct sockaddr *)&at, &len);
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, serve, s);
}

static void
script_end(struct script *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static int
post(struct http_client *c, int port, int64_t timeout_ms, struct http_client_response *ret)
{
	const char *const headers[] = { "X-Request-Id: abc", NULL };
	struct err e = ERR_NONE;
	char url[64];
	int r;

	snprintf(url, sizeof url, "http://127.0.0.1:%d/login", port);
	r = http_client_send(c,
			     &(struct http_client_request){ .method = "POST",
							    .url = url,
							    .headers = headers,
							    .body = "a=b",
							    .body_len = 3,
							    .timeout_ms = timeout_ms },
			     ret, &e);
	assert_int_equal(r, e.code);
	return r;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"

static void
an_answer_of_any_status_is_a_success(void **state)
{
	static const char *const answers[] = {
		OK, "HTTP/1.1 503 x\r\nRetry-After:  12\r\nContent-Length: 4\r\n\r\nbusy",
		"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
		"end"
	};
	struct http_client_response got = { .body = STR_MAX(100) };
	struct http_client *c;
	struct script s;

	(void)state;
	script_start(&s, answers);
	assert_int_equal(http_client_new(2, &c, NULL), 0);
	assert_int_equal(post(c, s.port, 3000, &got), 0);
	assert_int_equal(got.status, 200);
	assert_string_equal(str_text(&got.body), "hi");
	assert_string_equal(got.content_type, "text/plain");
	assert_int_equal(post(c, s.port, 3000, &got), 0);
	assert_int_equal(got.status, 503);
	assert_int_equal(got.retry_after_s, 12);
	assert_string_equal(str_text(&got.body), "busy");
	assert_int_equal(post(c, s.port, 3000, &got), 0);
	assert_int_equal(got.status, 302);
	assert_int_equal(got.retry_after_s, 0);
	http_client_free(c);
	script_end(&s);
	str_free(&got.body);
	assert_int_equal(s.connections, 1);
	assert_non_null(strstr(s.last, "X-Request-Id: abc\r\n"));
	assert_null(strstr(s.last, "Expect"));
}

static void
a_kept_connection_that_was_closed_is_tried_once_more(void **state)
{
	static const char *const answers[] = { OK, NULL, OK, "end" };
	static const char *const closes[] = { NULL, "end" };
	struct http_client_response got = { .body = STR_MAX(100) };
	struct http_client *c;
	struct script s;

	(void)state;
	assert_int_equal(http_client_new(1, &c, NULL), 0);
	script_start(&s, answers);
	assert_int_equal(post(c, s.port, 3000, &got), 0);
	assert_int_equal(post(c, s.port, 3000, &got), 0);
	assert_int_equal(got.status, 200);
	script_end(&s);
	assert_int_equal(s.connections, 2);
	script_start(&s, closes);
	assert_int_equal(post(c, s.port, 3000, &got), ERR_UNAVAILABLE);
	script_end(&s);
	http_client_free(c);
	str_free(&got.body);
}

static void
failures_have_their_codes(void **state)
{
	static const char *const silent[] = { "", "end" };
	static const char *const large[] = { OK, "end" };
	struct http_client_response got = { .status = 77, .body = STR_MAX(100) };
	struct http_client_response tight = { .body = STR_MAX(1) };
	struct http_client *c;
	struct script s;
	int64_t start;

	(void)state;
	assert_int_equal(http_client_new(1, &c, NULL), 0);
	script_start(&s, silent);
	start = now_monotonic_ms();
	assert_int_equal(post(c, s.port, 200, &got), ERR_TIMEOUT);
	assert_true(now_monotonic_ms() - start < 2000);
	script_end(&s);
	assert_int_equal(post(c, s.port, 1000, &got),
			 ERR_UNAVAILABLE); /* nobody listens any more */
	assert_int_equal(got.status, 77);
	script_start(&s, large);
	assert_int_equal(post(c, s.port, 1000, &tight), ERR_TOO_LARGE);
	http_client_free(c);
	script_end(&s);
	assert_int_equal(http_client_new(0, &c, NULL), ERR_INVALID);
}

struct poster {
	struct http_client *c;
	int port, result;
};

static void *
post_in_thread(void *arg)
{
	struct poster *p = arg;
	struct http_client_response got = { .body = STR_MAX(100) };

	p->result = post(p->c, p->port, 1500, &got);
	str_free(&got.body);
	return NULL;
}

static void
a_full_pool_is_a_timeout(void **state)
{
	static const char *const silent[] = { "", "end" };
	struct poster posters[2];
	pthread_t threads[2];
	struct http_client *c;
	struct script s;

	(void)state;
	assert_int_equal(http_client_new(1, &c, NULL), 0);
	script_start(&s, silent);
	for (int i = 0; i < 2; i++) {
		posters[i] = (struct poster){ c, s.port, 0 };
		pthread_create(&threads[i], NULL, post_in_thread, &posters[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(posters[i].result, ERR_TIMEOUT);
	}
	script_end(&s);
	http_client_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_any_status_is_a_success),
		cmocka_unit_test(a_kept_connection_that_was_closed_is_tried_once_more),
		cmocka_unit_test(failures_have_their_codes),
		cmocka_unit_test(a_full_pool_is_a_timeout),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
