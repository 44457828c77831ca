/* The registry's insides, shared by its book-keeping and its text. Private to daemon/metrics. */
#ifndef TONEARM_DAEMON_METRICS_SERIES_H
#define TONEARM_DAEMON_METRICS_SERIES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text/str.h"
#include "daemon/metrics.h"

#define LABELS_MAX 4
#define BUCKETS 23

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct series {
	struct series *next;
	char *values[LABELS_MAX];
	double value; /* of a histogram: the sum */
	uint64_t count, buckets[BUCKETS];
};

struct metric {
	struct metric *next;
	/* set once */
	enum metric_kind kind;
	char *name, *help, *labels[LABELS_MAX];
	size_t label_count;
	/* under lock */
	pthread_mutex_t lock;
	struct series *first, **last;
	size_t series_count;
};

extern const double metric_bounds[BUCKETS];

/* Appends HELP, TYPE and all series; nothing for a metric without any. Takes the metric's lock. */
void metric_write(struct metric *m, struct str *to);

#endif
