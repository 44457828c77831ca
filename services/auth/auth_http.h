/* auth's two routes. Threads: as the server's. */
#ifndef TONEARM_AUTH_AUTH_HTTP_H
#define TONEARM_AUTH_AUTH_HTTP_H

#include "auth/login.h"
#include "auth/restrictions.h"
#include "net/http_server.h"

struct auth_service {
	struct login login;
	struct restrictions *restrictions; /* borrowed */
	/* Called once per login (metrics); may be NULL. */
	void (*login_done)(void *arg, const char *label);
	void *login_done_arg;
};

extern const struct http_route auth_routes[];
extern const size_t auth_route_count;

#endif
