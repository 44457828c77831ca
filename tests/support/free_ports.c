#include "support/free_ports.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

#define LOWEST 10240
#define END 32768

static bool
is_free(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return bound;
}

static bool
is_new(const int *ports, int n, int port)
{
	for (int i = 0; i < n; i++)
		if (ports[i] == port)
			return false;
	return true;
}

void
free_ports(int *ret, int n)
{
	for (int found = 0; found < n;) {
		uint16_t number = 0;
		int port;

		(void)!getrandom(&number, sizeof number, 0);
		port = LOWEST + number % (END - LOWEST);
		if (is_free(port) && is_new(ret, found, port))
			ret[found++] = port;
	}
}
