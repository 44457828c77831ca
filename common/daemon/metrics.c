#include "daemon/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "daemon/metrics_series.h"

#define SERIES_MAX 256
#define VALUE_MAX 128
#define REFRESHES_MAX 8

struct metrics {
	pthread_mutex_t scrape; /* one at a time runs the refreshes */
	struct {
		void (*call)(void *arg);
		void *arg;
	} refreshes[REFRESHES_MAX];
	size_t refresh_count; /* with refreshes: under scrape */
	pthread_mutex_t lock;
	struct metric *first, **last; /* under lock */
};

const double metric_bounds[BUCKETS] = { 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
					10, 30, 60, 120, 300, 600,
					/* conversions, up to the longest JOB_TIMEOUT */
					1800, 3600, 7200, 21600, 86400, 604800 };

int
metrics_new(struct metrics **ret, struct err *e)
{
	struct metrics *m = calloc(1, sizeof *m);

	if (!m)
		return err_set(e, ERR_NO_MEMORY, "metrics");
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_mutex_init(&m->scrape, NULL);
	m->last = &m->first;
	*ret = m;
	return 0;
}

static void
series_free(struct series *s)
{
	size_t i;

	for (i = 0; i < LABELS_MAX; i++)
		free(s->values[i]);
	free(s);
}

static void
metric_free(struct metric *m)
{
	size_t i;

	while (m->first) {
		struct series *s = m->first;

		m->first = s->next;
		series_free(s);
	}
	for (i = 0; i < m->label_count; i++)
		free(m->labels[i]);
	free(m->name);
	free(m->help);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

void
metrics_free(struct metrics *m)
{
	if (!m)
		return;
	while (m->first) {
		struct metric *metric = m->first;

		m->first = metric->next;
		metric_free(metric);
	}
	(void)pthread_mutex_destroy(&m->lock);
	(void)pthread_mutex_destroy(&m->scrape);
	free(m);
}

static bool
series_has_values(const struct metric *m, const struct series *s, const char *const *values)
{
	size_t i;

	for (i = 0; i < m->label_count; i++)
		if (strncmp(s->values[i], values[i], VALUE_MAX) != 0)
			return false;
	return true;
}

static struct series *
series_find(const struct metric *m, const char *const *values)
{
	struct series *s = m->first;

	while (s && !series_has_values(m, s, values))
		s = s->next;
	return s;
}

static struct series *
series_new(struct metric *m, const char *const *values)
{
	struct series *s = calloc(1, sizeof *s);
	size_t i;

	if (!s)
		return NULL;
	for (i = 0; i < m->label_count; i++) {
		s->values[i] = strndup(values[i], VALUE_MAX);
		if (!s->values[i]) {
			series_free(s);
			return NULL;
		}
	}
	*m->last = s;
	m->last = &s->next;
	m->series_count++;
	return s;
}

/* Under the metric's lock. NULL when out of memory: a lost count is better than a lost request. */
static struct series *
series_of(struct metric *m, const char *const *values)
{
	static const char *const other[LABELS_MAX] = { "other", "other", "other", "other" };
	struct series *s = series_find(m, values);

	if (!s && m->series_count >= SERIES_MAX - 1) {
		values = other;
		s = series_find(m, values);
	}
	return s ? s : series_new(m, values);
}

static struct metric *
metric_new(enum metric_kind kind, const char *name, const char *help, const char *const *labels)
{
	struct metric *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	(void)pthread_mutex_init(&m->lock, NULL);
	m->kind = kind;
	m->last = &m->first;
	m->name = strdup(name);
	m->help = strdup(help);
	if (!m->name || !m->help) {
		metric_free(m);
		return NULL;
	}
	while (labels && labels[m->label_count] && m->label_count < LABELS_MAX) {
		m->labels[m->label_count] = strdup(labels[m->label_count]);
		if (!m->labels[m->label_count]) {
			metric_free(m);
			return NULL;
		}
		m->label_count++;
	}
	/* Without labels there is one series, shown as 0 until something happens. */
	if (m->label_count == 0)
		(void)series_new(m, NULL);
	return m;
}

static struct metric *
metrics_find(struct metrics *registry, const char *name)
{
	struct metric *m = registry->first;

	while (m && strcmp(m->name, name) != 0)
		m = m->next;
	return m;
}

static struct metric *
metrics_add(struct metrics *registry, enum metric_kind kind, const char *name, const char *help,
	    const char *const *labels)
{
	struct metric *m;

	(void)pthread_mutex_lock(&registry->lock);
	m = metrics_find(registry, name);
	if (!m) {
		m = metric_new(kind, name, help, labels);
		if (m) {
			*registry->last = m;
			registry->last = &m->next;
		}
	}
	(void)pthread_mutex_unlock(&registry->lock);
	return m;
}

struct metric *
metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return metrics_add(m, METRIC_COUNTER, name, help, labels);
}

struct metric *
metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return metrics_add(m, METRIC_GAUGE, name, help, labels);
}

struct metric *
metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return metrics_add(m, METRIC_HISTOGRAM, name, help, labels);
}

void
metric_add(struct metric *c, double by, const char *const *values)
{
	struct series *s;

	/* A counter that goes down reads as a restart. */
	if (!c || isnan(by) || (c->kind == METRIC_COUNTER && by < 0))
		return;
	(void)pthread_mutex_lock(&c->lock);
	s = series_of(c, values);
	if (s)
		s->value += by;
	(void)pthread_mutex_unlock(&c->lock);
}

void
metric_set(struct metric *g, double to, const char *const *values)
{
	struct series *s;

	if (!g)
		return;
	(void)pthread_mutex_lock(&g->lock);
	s = series_of(g, values);
	if (s)
		s->value = to;
	(void)pthread_mutex_unlock(&g->lock);
}

void
metric_observe(struct metric *h, double seconds, const char *const *values)
{
	struct series *s;
	size_t i = 0;

	if (!h || isnan(seconds))
		return;
	while (i < BUCKETS && seconds > metric_bounds[i])
		i++;
	(void)pthread_mutex_lock(&h->lock);
	s = series_of(h, values);
	if (s) {
		s->value += seconds;
		s->count++;
		if (i < BUCKETS)
			s->buckets[i]++;
	}
	(void)pthread_mutex_unlock(&h->lock);
}

void
metrics_on_scrape(struct metrics *m, void (*refresh)(void *arg), void *arg)
{
	(void)pthread_mutex_lock(&m->scrape);
	if (m->refresh_count < REFRESHES_MAX) {
		m->refreshes[m->refresh_count].call = refresh;
		m->refreshes[m->refresh_count++].arg = arg;
	}
	(void)pthread_mutex_unlock(&m->scrape);
}

void
metrics_forget_scrapes(struct metrics *m)
{
	(void)pthread_mutex_lock(&m->scrape);
	m->refresh_count = 0;
	(void)pthread_mutex_unlock(&m->scrape);
}

int
metrics_write(struct metrics *m, struct str *ret, struct err *e)
{
	struct metric *metric;
	size_t i;

	(void)pthread_mutex_lock(&m->scrape);
	for (i = 0; i < m->refresh_count; i++)
		m->refreshes[i].call(m->refreshes[i].arg);
	(void)pthread_mutex_lock(&m->lock);
	for (metric = m->first; metric; metric = metric->next)
		metric_write(metric, ret);
	(void)pthread_mutex_unlock(&m->lock);
	(void)pthread_mutex_unlock(&m->scrape);
	return str_error(ret, e);
}
