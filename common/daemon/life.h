/* A daemon while it runs. Private to daemon/. */
#ifndef TONEARM_DAEMON_LIFE_H
#define TONEARM_DAEMON_LIFE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/stop.h"
#include "daemon/daemon.h"
#include "daemon/health.h"

struct daemon {
	/* set once */
	const struct daemon_spec *spec;
	const struct daemon_config *config;
	int64_t began_ms; /* monotonic: when the process did */
	struct metrics *metrics;
	struct metric *requests, *durations, *bytes;           /* of HTTP */
	struct metric *resident, *descriptors, *started, *cpu; /* of the process */
	struct health *health;
	struct http_server *admin;
	pthread_t overseer;
	/* any thread */
	struct stop stop;     /* asked for by a signal */
	struct stop finished; /* run has returned */
	atomic_bool watching; /* daemon_watch was called */
};

/* admin.c: the admin port. */
int admin_start(struct daemon *d, struct err *e);
/* process_metrics.c: what /metrics says of the process and of HTTP. */
void process_metrics_add(struct daemon *d);
void process_metrics_refresh(struct daemon *d); /* before each scrape */
/* probe.c: --health; the exit code. */
int probe_health(const struct daemon_config *config);
/* options.c: all that daemon_main does without becoming a daemon. */
void options_log_strays(const struct daemon_spec *spec); /* variables that are nearly a key */
int options_main(int argc, char **argv, const struct daemon_spec *spec, bool *ret_serve,
		 void *config);

#endif
