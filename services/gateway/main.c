/* The gateway: what clients talk to. This file alone knows what it stands on. */
#include "adapter/identity_http.h"
#include "backend/backend.h"
#include "daemon/daemon.h"
#include "flow/job_routes.h"
#include "gateway/config.h"
#include "gateway/gateway.h"

#define SERVER_DEADLINE_MS 2500 /* of any call to a server: an answer must be out within 3 s */
#define IDENTITY_CONNECTIONS 64
#define RELAY_INTERVAL_MS 1000
/* Of an upload's own announcement: with the broker frozen, the answer still leaves within 3 s; what
 * took longer than the second is marked by the relay. */
#define ANNOUNCE_DEADLINE_MS 2000
#define ANNOUNCE_PATIENCE_MS 400
#define PUBLISHES_MAX 1024 /* waiting at once */

static int
ping_auth(void *arg, struct err *e)
{
	return identity_ping(arg, e);
}

struct gauges {
	struct metric *connections;
	struct http_server *http;
};

static void
gateway_refresh_gauges(void *arg)
{
	struct gauges *g = arg;

	metric_set(g->connections, http_server_connections(g->http), NULL);
}

static void
gateway_export_gauges(struct daemon *d, struct gauges *g)
{
	struct metrics *m = daemon_metrics(d);

	g->connections =
		metrics_gauge(m, "tonearm_http_connections", "Open client connections.", NULL);
	metrics_on_scrape(m, gateway_refresh_gauges, g);
}

static struct http_server_config
gateway_http_config(const struct gateway_config *c, struct gateway *g, struct daemon *d)
{
	struct http_server_config http = http_server_defaults();

	http.address = c->daemon.listen_address;
	http.port = (int)c->listen_port;
	http.routes = gateway_routes;
	http.route_count = gateway_route_count;
	http.service = g;
	http.max_connections = (int)c->max_connections;
	http.head_timeout_ms = c->head_timeout_ms;
	http.idle_timeout_ms = c->idle_timeout_ms;
	http.min_body_rate = c->min_body_rate;
	http.trusted_proxies = c->trusted_proxies;
	http.observer = daemon_observe_http;
	http.observer_arg = d;
	return http;
}

/* Serves until the stop; everything that g needs is open. */
static int
gateway_serve(struct daemon *d, const struct gateway_config *c, struct gateway *g, struct err *e)
{
	SCOPED(http_server_close_p) struct http_server *http = NULL;
	struct http_server_config config = gateway_http_config(c, g, d);
	struct gauges gauges = { 0 };
	int r;

	if ((r = http_server_start(&config, &http, e)) < 0)
		return r;
	gauges.http = http;
	gateway_export_gauges(d, &gauges);
	if ((r = daemon_watch(d, e)) == 0)
		r = daemon_wait_stop(d, e);
	http_server_drain(http, c->drain_delay_ms, c->daemon.drain_timeout_ms);
	return r;
}

static int
gateway_run(struct daemon *d, const void *config, struct err *e)
{
	const struct gateway_config *c = config;
	struct backend_limits limits = { (int)c->mongo_clients, SERVER_DEADLINE_MS };
	const struct outbox_route routes[] = { job_route_mp3(c->mp3_queue),
					       job_route_failed(c->failed_queue),
					       job_route_video(c->video_queue) };
	struct outbox outbox;
	struct backend_queue queue = { .deadline_ms = ANNOUNCE_DEADLINE_MS,
				       .max_waiting = PUBLISHES_MAX,
				       .on_missing = outbox_queue_missing,
				       .on_missing_arg = &outbox };
	SCOPED(backend_close_p) struct backend *backend = NULL;
	SCOPED(identity_close_p) struct identity *identity = NULL;
	SCOPED(relay_stop_p) struct relay *relay = NULL;
	struct publisher *publisher;
	struct blob_store *videos, *mp3s;
	struct ledger *ledger;
	int r;

	if ((r = backend_new(&c->backend, &limits, &backend, e)) < 0 ||
	    (r = backend_blobs(backend, "videos", &videos, e)) < 0 ||
	    (r = backend_blobs(backend, "mp3s", &mp3s, e)) < 0 ||
	    (r = backend_ledger(backend, &ledger, e)) < 0)
		return r;
	outbox = (struct outbox){ &ledger->outbox, routes, ARRAY_LEN(routes) };
	if ((r = backend_publisher(backend, &queue, &publisher, e)) < 0 ||
	    (r = identity_http_new(c->auth_address, IDENTITY_CONNECTIONS, SERVER_DEADLINE_MS,
				   &identity, e)) < 0 ||
	    (r = relay_start(&(struct relay_config){ .outbox = &outbox,
						     .publisher = publisher,
						     .interval_ms = RELAY_INTERVAL_MS },
			     &relay, e)) < 0)
		return r;

	struct gateway g = { .identity = identity,
			     .videos = videos,
			     .mp3s = mp3s,
			     .jobs = &ledger->life,
			     .desk = &ledger->desk,
			     .announcer = { &outbox, publisher, relay, ANNOUNCE_PATIENCE_MS },
			     .max_upload_bytes = c->max_upload_bytes,
			     .max_stored_bytes = c->max_stored_bytes,
			     .max_queued_jobs = c->max_queued_jobs,
			     .allow_ownerless = c->allow_ownerless };
	daemon_dependency(d, "auth", ping_auth, identity);
	backend_watch(backend, d);
	return gateway_serve(d, c, &g, e);
}

int
gateway_check_auth_address(const char *address, struct err *e)
{
	return identity_http_check(address, e);
}

int
main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "gateway",
		.summary = "takes logins, uploads and downloads over HTTP",
		.keys = gateway_config_keys,
		.config_size = sizeof(struct gateway_config),
		.run = gateway_run,
	};

	return daemon_main(argc, argv, &spec);
}
