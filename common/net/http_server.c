#include "net/http_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

#define SHUT_WAIT_MS 20000
#define LOOK_MS 50

struct http_server_config
http_server_defaults(void)
{
	return (struct http_server_config){
		.address = "0.0.0.0",
		.max_connections = 1024,
		.head_timeout_ms = 30000,
		.idle_timeout_ms = 60000,
		.min_body_rate = 512,
		.discard_bytes = (int64_t)64 << 20,
		.discard_ms = 10000,
		.trusted_proxies = "",
	};
}

struct http_request *
http_request_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct http_request *
server_request_new(struct http_server *s, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *from =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_request *req = calloc(1, sizeof *req);

	if (!req || !fd) {
		free(req);
		return NULL;
	}
	req->server = s;
	req->mhd = mhd;
	req->watch.fd = fd->connect_fd;
	if (from && from->client_addr)
		http_peer_text(from->client_addr, req->peer);
	return req;
}

/* Both run in MHD's own thread: the start before the connection's thread is made, the end after it
 * was joined and before the socket is closed. */
static void
server_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
		     enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct http_request *req;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		req = *context;
		*context = NULL;
		if (req)
			http_watch_remove(s, &req->watch);
		free(req);
		return;
	}
	*context = req = server_request_new(s, mhd);
	if (!req)
		return; /* the handler cuts it */
	req->refused = http_server_connections(s) >= s->config.max_connections;
	req->watch.phase = req->refused ? HTTP_PHASE_REFUSED : HTTP_PHASE_HEAD;
	http_watch_add(s, &req->watch);
	if (req->refused)
		http_refuse_connection(req->watch.fd);
}

/* Called with the raw target, before MHD takes it apart. */
static void *
server_on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_request *req = http_request_of(mhd);

	(void)arg;
	if (req && uri) {
		http_guard_uri(req, uri);
		http_watch_next(req->server, &req->watch);
	}
	return NULL;
}

/* NOLINTBEGIN(readability-function-size): libmicrohttpd's own signature */
static enum MHD_Result
server_on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
		  const char *version, const char *data, size_t *len, void **context)
{
	struct http_request *req = http_request_of(mhd);

	(void)arg;
	(void)context;
	if (!req || req->refused)
		return MHD_NO;
	if (!req->x.begun) {
		req->x.path = url;
		req->x.method = method;
		req->x.version = version;
	}
	return http_dispatch(req, data, len);
}
/* NOLINTEND(readability-function-size) */

static void
server_on_completed(void *arg, struct MHD_Connection *mhd, void **context,
		    enum MHD_RequestTerminationCode how)
{
	struct http_request *req = http_request_of(mhd);

	(void)arg;
	(void)context;
	if (req)
		http_dispatch_done(req, how);
}

/* To be freed by freeaddrinfo. */
static int
server_resolve(const char *address, int port, struct addrinfo **ret, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	char service[16];

	(void)snprintf(service, sizeof service, "%d", port);
	if (getaddrinfo(address, service, &hints, ret) != 0)
		return err_set(e, ERR_INVALID, "\"%.60s\" is no IPv4 or IPv6 address", address);
	return 0;
}

int
http_address_check(const char *address, struct err *e)
{
	struct addrinfo *info = NULL;
	int r = server_resolve(address, 0, &info, e);

	if (r == 0)
		freeaddrinfo(info);
	return r;
}

static int
server_open_listener(const struct http_server_config *config, struct err *e)
{
	struct addrinfo *info = NULL;
	int fd, on = 1, failed;

	if (server_resolve(config->address, config->port, &info, e) < 0)
		return ERR_INVALID;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		failed = bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 1024) < 0;
		if (failed) {
			failed = errno;
			close(fd);
			errno = failed;
			fd = -1;
		}
	}
	freeaddrinfo(info);
	if (fd < 0) {
		err_errno(e, ERR_UNAVAILABLE, errno, "listen");
		return err_prefix(e, ERR_UNAVAILABLE, "%.60s port %d", config->address,
				  config->port);
	}
	return fd;
}

static int
server_bound_port(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;

	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return 0;
	if (at.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)(void *)&at)->sin6_port);
	return ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
}

static void
server_init_lock(struct http_server *s)
{

	(void)pthread_mutex_init(&s->lock, NULL);
	cond_init(&s->changed);
	cond_init(&s->reap);
}

static void
server_ignore_log(void *arg, const char *fmt, va_list args)
{
	(void)arg;
	(void)fmt;
	(void)args;
}

/* Our own count answers 503 below MHD's limit, at which connections just wait to be accepted.
 * Not strict: that would refuse less than http_guard.c does, and partly by closing without an
 * answer. */
static struct MHD_Daemon *
server_start_daemon(struct http_server *s)
{
	unsigned limit = (unsigned)s->config.max_connections + 256;

	return MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
			MHD_USE_ITC,
		0, NULL, NULL, server_on_request, s, MHD_OPTION_EXTERNAL_LOGGER, server_ignore_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, s->listen_fd, MHD_OPTION_CONNECTION_LIMIT, limit,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_POOL_BYTES, MHD_OPTION_THREAD_STACK_SIZE,
		HTTP_STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_URI_LOG_CALLBACK,
		server_on_uri, s, MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, s,
		MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, s, MHD_OPTION_END);
}

int
http_server_start(const struct http_server_config *config, struct http_server **ret, struct err *e)
{
	SCOPED(http_server_close_p) struct http_server *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return err_set(e, ERR_NO_MEMORY, "http server");
	s->config = *config;
	s->listen_fd = -1;
	s->rate_window_ms = HTTP_RATE_WINDOW_MS;
	server_init_lock(s);
	if ((r = http_trusted_parse(config->trusted_proxies, s->trusted, &s->trusted_count, e)) < 0)
		return r;
	if ((r = server_open_listener(config, e)) < 0)
		return r;
	s->listen_fd = r;
	s->port = server_bound_port(s->listen_fd);
	if ((r = http_reaper_start(s, e)) < 0)
		return r;
	s->daemon = server_start_daemon(s);
	if (!s->daemon)
		return err_set(e, ERR_UNAVAILABLE, "http server did not start");
	s->listen_fd = -1; /* MHD's now */
	*ret = TAKE(s);
	return 0;
}

int
http_server_port(const struct http_server *s)
{
	return s->port;
}

int
http_server_connections(const struct http_server *s)
{
	/* Locking is no change that a caller could see. */
	union {
		const pthread_mutex_t *given;
		pthread_mutex_t *lock;
	} u = { .given = &s->lock };
	int n;

	(void)pthread_mutex_lock(u.lock);
	n = s->connections;
	(void)pthread_mutex_unlock(u.lock);
	return n;
}

/* With the lock held: until a connection ends, or it is time to look again: one that falls idle
 * does not say so. */
static void
server_wait_change(struct http_server *s)
{
	(void)cond_wait_until(&s->changed, &s->lock, now_monotonic_ms() + LOOK_MS);
}

/* With the lock held: until no connection is left or the deadline passes. */
static int
server_wait_empty(struct http_server *s, int64_t deadline, enum http_shut which)
{
	int left;

	while ((left = http_watch_shut(s, which)) > 0 && now_monotonic_ms() < deadline)
		server_wait_change(s);
	return left;
}

/* Those that the kernel has accepted for us already are served, too: closing the listening socket
 * would reset them. */
static void
server_stop_accepting(struct http_server *s)
{
	MHD_socket fd = MHD_quiesce_daemon(s->daemon);
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	int client;

	if (fd == MHD_INVALID_SOCKET)
		return;
	while ((client = accept(fd, (struct sockaddr *)&from, &len)) >= 0) {
		(void)MHD_add_connection(s->daemon, client, (struct sockaddr *)&from, len);
		len = sizeof from;
	}
	close(fd);
}

void
http_server_drain(struct http_server *s, int64_t linger_ms, int64_t drain_ms)
{
	int64_t now = now_monotonic_ms(), deadline = now + drain_ms;
	int64_t closing = now + (linger_ms < drain_ms ? linger_ms : drain_ms);

	atomic_store(&s->draining, true);
	(void)pthread_mutex_lock(&s->lock);
	while (now_monotonic_ms() < closing)
		server_wait_change(s);
	(void)pthread_mutex_unlock(&s->lock);
	server_stop_accepting(s);
	(void)pthread_mutex_lock(&s->lock);
	server_wait_change(s); /* what was just accepted is not counted yet */
	if (server_wait_empty(s, deadline, HTTP_SHUT_IDLE) > 0)
		server_wait_empty(s, now_monotonic_ms() + SHUT_WAIT_MS, HTTP_SHUT_ALL);
	(void)pthread_mutex_unlock(&s->lock);
}

void
http_server_close(struct http_server *s)
{
	if (!s)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	http_reaper_stop(s);
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_cond_destroy(&s->reap);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
