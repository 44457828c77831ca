/* What the daemon asks of the servers that were opened, and shows of them. */
#include "backend/private.h"

#include "daemon/daemon.h"

int
backend_server(struct backend *b, const char *name, int (*ping)(void *arg, struct err *e),
	       void *arg, struct err *e)
{
	struct server *s = b->servers, *end = b->servers + b->server_count;

	while (s < end && strcmp(s->name, name) != 0)
		s++;
	if (s == end && b->server_count == SERVERS_MAX)
		return err_set(e, ERR_INTERNAL, "more than %d servers", SERVERS_MAX);
	if (s == end) {
		s->name = name;
		b->server_count++;
	}
	if (s->count == PINGS_MAX)
		return err_set(e, ERR_INTERNAL, "more than %d pings of %s", PINGS_MAX, name);
	s->pings[s->count++] = (struct server_ping){ ping, arg };
	return 0;
}

static int
backend_ping(void *arg, struct err *e)
{
	const struct server *s = arg;
	int r = 0;

	for (size_t i = 0; i < s->count && r == 0; i++)
		r = s->pings[i].ping(s->pings[i].arg, e);
	return r;
}

void
backend_watch(struct backend *b, struct daemon *d)
{
	for (size_t i = 0; i < b->server_count; i++)
		daemon_dependency(d, b->servers[i].name, backend_ping, &b->servers[i]);
	backend_mongo_watch(b, daemon_metrics(d));
}
