/* Fuzz target: bytes on a connection of the real server, in two pieces (the first two bytes say
 * where they part), and then our end is closed. Whatever they are, the server answers in whole
 * status lines, frees what a request holds, and lets go of the connection. */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "net/http_server.h"

#define WAIT_MS 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static atomic_int made, freed;

static void
free_state(void *state)
{
	free(state);
	atomic_fetch_add(&freed, 1);
}

static void
on_show(struct http_request *req, void *service)
{
	const char *a = http_query(req, "a");
	char text[512];

	(void)service;
	(void)snprintf(text, sizeof text, "%s %d %s %d %lld", a ? a : "-",
		       http_query_has_nul(req, "a"), http_client_address(req),
		       http_client_known(req), (long long)http_content_length(req));
	if (http_path_tail(req) && strlen(http_path_tail(req)) > 65536)
		abort();
	http_reply_text(req, 200, text);
}

static void
on_begin(struct http_request *req, void *service)
{
	size_t *size;

	(void)service;
	if (http_header(req, "Authorization") == NULL) {
		http_reply_text(req, 401, "missing credentials");
		return;
	}
	if ((size = calloc(1, sizeof *size)) == NULL)
		abort();
	atomic_fetch_add(&made, 1);
	http_set_state(req, size, free_state);
}

static void
on_body(struct http_request *req, void *service, const char *data, size_t len)
{
	size_t *size = http_state(req);

	(void)service;
	*size += len;
	if (memchr(data, '!', len) != NULL)
		http_reply_busy(req, 503, "service unavailable", 1);
}

static void
on_end(struct http_request *req, void *service)
{
	int64_t length = http_content_length(req);
	size_t *size = http_state(req);

	(void)service;
	if (length >= 0 && (size_t)length != *size)
		abort();
	http_reply_text(req, 200, "taken");
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/show", on_show, NULL, NULL },
	{ HTTP_GET, "/show/*", on_show, NULL, NULL },
	{ HTTP_POST, "/up", on_begin, on_body, on_end },
};

static struct http_server *
server(void)
{
	static struct http_server *s;
	struct http_server_config config = http_server_defaults();
	struct err e = ERR_NONE;

	if (s != NULL)
		return s;
	log_init("fuzz", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, STDERR_FILENO);
	config.address = "127.0.0.1";
	config.routes = routes;
	config.route_count = ARRAY_LEN(routes);
	config.trusted_proxies = "127.0.0.0/8";
	config.discard_bytes = 65536;
	if (http_server_start(&config, &s, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	return s;
}

static int
dial(const struct http_server *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((uint16_t)http_server_port(s)) };
	struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	struct linger reset = { .l_onoff = 1 }; /* no port waits for the dead */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0) {
		perror("fuzz_http");
		exit(1);
	}
	return fd;
}

static void
say(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0 && (n = send(fd, data, len, MSG_NOSIGNAL)) > 0) {
		data += n;
		len -= (size_t)n;
	}
}

static void
hear(int fd)
{
	static char answer[1 << 16];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof answer && (n = recv(fd, answer + len, sizeof answer - len, 0)) > 0)
		len += (size_t)n;
	if (len > 0 && (len < 13 || memcmp(answer, "HTTP/1.", 7) != 0 || answer[8] != ' ' ||
			answer[9] < '1' || answer[9] > '5'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_server *s = server();
	int64_t until = now_monotonic_ms() + WAIT_MS;
	size_t at;
	int fd;

	if (size < 2)
		return 0;
	at = (size_t)(data[0] | data[1] << 8) % (size - 1);
	fd = dial(s);
	say(fd, data + 2, at);
	say(fd, data + 2 + at, size - 2 - at);
	(void)shutdown(fd, SHUT_WR);
	hear(fd);
	close(fd);
	while (http_server_connections(s) > 0) {
		if (now_monotonic_ms() > until)
			abort();
		(void)nanosleep(&(struct timespec){ 0, 20000 }, NULL);
	}
	if (atomic_load(&made) != atomic_load(&freed))
		abort();
	return 0;
}
