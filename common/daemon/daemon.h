/* Life cycle of a daemon: options, configuration, logs, signals, admin port, readiness, drain, exit
 * code.
 *
 *   int main(int argc, char **argv) { return daemon_main(argc, argv, &spec); }
 *
 * daemon_main handles --help, --help=markdown, --version, --check-config, --health (asks the running
 * daemon's own admin port, exit 0 or 1) and the daemon's commands. To serve, it loads the
 * configuration, starts the admin port and the thread that watches dependencies, then calls run.
 * run wires adapters (none connects while it is made), registers dependencies, starts work and waits
 * on daemon_wait_stop.
 *
 * Ready    every dependency was reached once since start, and no drain began.
 * SIGTERM, SIGINT
 *          not ready, and the stop is requested; a second one exits at once with 0.
 * Exit     0 stopped, 100 bad configuration or usage, 111 not ready within START_TIMEOUT or a port
 *          is taken. */
#ifndef TONEARM_DAEMON_DAEMON_H
#define TONEARM_DAEMON_DAEMON_H

#include <stddef.h>
#include <stdint.h>

#include "base/config/config.h"
#include "base/err.h"
#include "base/stop.h"
#include "daemon/command.h"
#include "daemon/metrics.h"
#include "net/http_server.h"

#define EXIT_STOPPED 0
#define EXIT_CONFIG 100
#define EXIT_NOT_STARTED 111

/* The first member of every daemon's configuration struct. */
struct daemon_config {
	int log_level, log_format;
	char listen_address[64];
	int64_t admin_port;
	int64_t start_timeout_ms; /* 0 = for ever */
	int64_t drain_timeout_ms;
};
/* Its keys: LOG_LEVEL LOG_FORMAT LISTEN_ADDRESS (0.0.0.0) ADMIN_PORT (9100) START_TIMEOUT (0)
 * DRAIN_TIMEOUT (300 s). */
extern const struct config_key daemon_config_keys[];

struct daemon;
struct daemon_spec {
	const char *name, *summary;
	const struct config_key *keys; /* the daemon's own, behind daemon_config_keys */
	size_t config_size;
	int (*run)(struct daemon *, const void *config, struct err *);
	/* Beyond the table, of what serves; may be NULL. */
	int (*check)(const void *config, struct err *);
	const struct command *const *commands; /* ends with NULL; may be NULL */
};
int daemon_main(int argc, char **argv, const struct daemon_spec *spec);

/* A server that this daemon needs. ping is called every 2 s from one thread of the dependency's
 * own; it must return within about 3 s. Changes are logged once; /readyz?verbose and metrics show
 * the state. name as an operator says it: "mongodb", "rabbitmq", "mysql", "auth". Before
 * daemon_watch. */
void daemon_dependency(struct daemon *d, const char *name, int (*ping)(void *arg, struct err *e),
		       void *arg);
/* Starts watching. run calls it once after all dependencies are registered. */
int daemon_watch(struct daemon *d, struct err *e);
/* Ends the watch and the metrics_on_scrape calls: run must not close what they use before. The two
 * waits below do it before they return a failure or the stop; only a run that returns without them
 * calls it. */
void daemon_unwatch(struct daemon *d);
/* Blocks until every dependency was reached once (0) or the stop was requested or START_TIMEOUT
 * passed since the process began (TIMEOUT, to be returned by run). Gateway and auth need not wait;
 * consumers do. */
int daemon_wait_ready(struct daemon *d, struct err *e);
/* Blocks until the stop is requested or START_TIMEOUT passes unready (TIMEOUT). */
int daemon_wait_stop(struct daemon *d, struct err *e);
struct stop *daemon_stop(struct daemon *d);
struct metrics *daemon_metrics(struct daemon *d);
/* An http_observer (arg = the daemon): counts tonearm_http_requests_total{route,method,status}, a
 * histogram of durations by route and bytes by direction, and logs one line (debug for 2xx/3xx,
 * info for 4xx, warn for 5xx). */
void daemon_observe_http(const struct http_done *done, void *daemon);

#endif
