/* A server on a real socket with handlers that tell what became of them, and a client that says raw
 * bytes. */
#ifndef TONEARM_TESTS_UNIT_NET_HTTP_FIXTURE_H
#define TONEARM_TESTS_UNIT_NET_HTTP_FIXTURE_H

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
static int64_t last_bytes_out;
static bool hold; /* /hold waits until it is false */
static int held;

static inline void
count(int *what)
{
	pthread_mutex_lock(&lock);
	(*what)++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Waits until *what is at least n. */
static inline void
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

static inline void
observe(const struct http_done *done, void *arg)
{
	(void)arg;
	assert_true(done->request_id[0] != '\0');
	pthread_mutex_lock(&lock);
	last_status = done->status;
	last_bytes_out = done->bytes_out;
	pthread_mutex_unlock(&lock);
	count(&observed);
}

static inline void
free_size(void *size)
{
	free(size);
	count(&states_freed);
}

static inline void
on_login(struct http_request *req, void *service)
{
	(void)service;
	http_reply_text(req, 200, "token");
}

static inline void
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

static inline void
on_upload_body(struct http_request *req, void *service, const char *data, size_t len)
{
	size_t *size = http_state(req);

	(void)service;
	*size += len;
	if (memchr(data, '!', len) != NULL)
		http_reply_busy(req, 503, "service unavailable", 7);
}

static inline void
on_upload_end(struct http_request *req, void *service)
{
	char text[32];

	(void)service;
	snprintf(text, sizeof text, "%zu", *(size_t *)http_state(req));
	http_reply_text(req, 200, text);
}

static inline void
on_echo(struct http_request *req, void *service)
{
	const char *a = http_query(req, "a");
	char text[512];

	(void)service;
	snprintf(text, sizeof text, "[%s] %d %s %s", a ? a : "none", http_query_has_nul(req, "a"),
		 http_client_address(req), http_path_tail(req));
	http_reply_text(req, 200, text);
}

static inline int64_t
read_x(void *arg, char *to, size_t max)
{
	int64_t *left = arg;

	if (*left < 0)
		return ERR_UNAVAILABLE;
	memset(to, 'x', max);
	return (int64_t)max;
}

static inline int64_t
lend_x(void *arg, const void **ret_at)
{
	static char letters[100000];
	int64_t *left = arg, n = *left < (int64_t)sizeof letters ? *left : (int64_t)sizeof letters;

	memset(letters, 'x', sizeof letters);
	*ret_at = letters;
	*left -= n;
	return n > 0 ? n : ERR_UNAVAILABLE;
}

static inline void
free_stream(void *arg)
{
	free(arg);
	count(&streams_freed);
}

static inline void
on_stream(struct http_request *req, void *service)
{
	const char *n = http_query(req, "n");
	int64_t *size = malloc(sizeof *size);

	(void)service;
	*size = n ? atoll(n) : -1;
	http_reply_stream(req, &(struct http_reply){ .status = 200, .content_type = "audio/mpeg" },
			  *size < 0 ? 100 : *size, read_x, free_stream, size);
}

/* n bytes, of which as many are missing as lack says. */
static inline void
on_lent(struct http_request *req, void *service)
{
	const char *n = http_query(req, "n"), *lack = http_query(req, "lack");
	int64_t *left = malloc(sizeof *left), size = n ? atoll(n) : 0;

	(void)service;
	*left = size - (lack ? atoll(lack) : 0);
	http_reply_lent(req, &(struct http_reply){ .status = 200, .content_type = "audio/mpeg" },
			size, lend_x, free_stream, left);
}

/* n bytes from the offset at of a file of letters, which is as many bytes shorter as lack says. */
static inline void
on_file(struct http_request *req, void *service)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	const char *n = http_query(req, "n"), *at = http_query(req, "at"),
		   *lack = http_query(req, "lack");
	int64_t size = n ? atoll(n) : 0, offset = at ? atoll(at) : 0;
	int64_t end = offset + size - (lack ? atoll(lack) : 0);
	FILE *file = tmpfile();

	(void)service;
	assert_non_null(file);
	for (int64_t i = 0; i < end; i += 26)
		fwrite(letters, 1, end - i < 26 ? (size_t)(end - i) : 26, file);
	fflush(file);
	http_reply_file(req, &(struct http_reply){ .status = 206, .content_type = "audio/mpeg" },
			fileno(file), offset, size);
	fclose(file);
}

static inline void
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
	{ HTTP_GET, "/lent", on_lent, NULL, NULL },
	{ HTTP_GET, "/file", on_file, NULL, NULL },
	{ HTTP_GET, "/hold", on_hold, NULL, NULL },
};

static inline struct http_server_config
test_config(void)
{
	struct http_server_config config = http_server_defaults();

	config.address = "127.0.0.1";
	config.routes = routes;
	config.route_count = ARRAY_LEN(routes);
	config.observer = observe;
	return config;
}

static inline struct http_server *
start(const struct http_server_config *config)
{
	struct http_server *s = NULL;
	struct err e = ERR_NONE;

	if (http_server_start(config, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static inline int
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

static inline void
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

static inline void
say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

/* All until the server closes; fails when it does not within WAIT_MS. */
static inline char *
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

static inline char *
ask_bytes(const struct http_server *s, const char *request, size_t len)
{
	int fd = dial(s);

	say(fd, request, len);
	return hear(fd);
}

static inline void
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

#endif
