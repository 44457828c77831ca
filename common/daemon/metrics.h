/* Metrics in Prometheus' text format (version 0.0.4). Metrics are made before threads start and
 * live as long as the registry; adding to one is safe from any thread. Label values are copied; a
 * metric has at most 256 series, further ones count under "other". */
#ifndef TONEARM_DAEMON_METRICS_H
#define TONEARM_DAEMON_METRICS_H

#include "base/err.h"
#include "base/text/str.h"

struct metrics;
struct metric;

int metrics_new(struct metrics **ret, struct err *e);
void metrics_free(struct metrics *m);
/* labels: up to 4 names, NULL-terminated list; NULL = none. Names as Prometheus wants them, with
 * base units. */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *help,
			       const char *const *labels);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help,
			     const char *const *labels);
/* Buckets for seconds from 1 ms to 600 s. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help,
				 const char *const *labels);
/* values: as many as labels. */
void metric_add(struct metric *c, double by, const char *const *values);
void metric_set(struct metric *g, double to, const char *const *values);
void metric_observe(struct metric *h, double seconds, const char *const *values);
/* Called at each scrape, to set gauges from pools and stores. At most 8. */
void metrics_on_scrape(struct metrics *m, void (*refresh)(void *arg), void *arg);
/* Ends those calls, so that what they look at may be closed; the gauges keep their last values. */
void metrics_forget_scrapes(struct metrics *m);
/* Appends the whole text to ret. */
int metrics_write(struct metrics *m, struct str *ret, struct err *e);

#endif
