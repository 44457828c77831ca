#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/scope.h"
#include "daemon/life.h"

#define TIMEOUT_S 3

static void
probe_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void
probe_free_addresses(struct addrinfo **a)
{
	if (*a)
		freeaddrinfo(*a);
}

/* What listens on every address also listens on loopback. */
static const char *
probe_address_of(const struct daemon_config *c)
{
	if (strcmp(c->listen_address, "0.0.0.0") == 0)
		return "127.0.0.1";
	return strcmp(c->listen_address, "::") == 0 ? "::1" : c->listen_address;
}

static int
probe_connect_admin(const struct daemon_config *c)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	SCOPED(probe_free_addresses) struct addrinfo *found = NULL;
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	SCOPED(probe_close_fd) int fd = -1;
	char port[16];
	int r;

	(void)snprintf(port, sizeof port, "%d", (int)c->admin_port);
	if (getaddrinfo(probe_address_of(c), port, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
	    connect(fd, found->ai_addr, found->ai_addrlen) < 0)
		return -1;
	r = fd;
	fd = -1;
	return r;
}

int
probe_health(const struct daemon_config *config)
{
	static const char ask[] =
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	static const char good[] = "HTTP/1.1 200 ";
	SCOPED(probe_close_fd) int fd = probe_connect_admin(config);
	char head[sizeof good - 1];
	size_t len = 0;
	ssize_t n;

	if (fd < 0 || send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) != (ssize_t)sizeof ask - 1)
		return 1;
	while (len < sizeof head && (n = recv(fd, head + len, sizeof head - len, 0)) > 0)
		len += (size_t)n;
	return len == sizeof head && memcmp(head, good, sizeof head) == 0 ? 0 : 1;
}
