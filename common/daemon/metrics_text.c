#include "daemon/metrics_series.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text/utf8.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: integers up to here are exact */

/* Prometheus refuses a whole scrape for one byte that is not UTF-8. */
static void
metrics_write_escaped(struct str *to, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = utf8_sequence(text, left);

		if (n == 0)
			str_puts(to, "?");
		else if (text[0] == '\n')
			str_puts(to, "\\n");
		else if (text[0] == '\\' || text[0] == '"')
			str_printf(to, "\\%c", text[0]);
		else
			str_append(to, text, n);
		n = n ? n : 1;
		text += n;
		left -= n;
	}
}

static void
metrics_write_number(struct str *to, double v)
{
	if (isnan(v))
		str_puts(to, "NaN");
	else if (isinf(v))
		str_puts(to, v > 0 ? "+Inf" : "-Inf");
	else if (floor(v) == v && fabs(v) < EXACT_MAX)
		str_printf(to, "%" PRId64, (int64_t)v);
	else
		str_printf(to, "%.15g", v);
}

/* The name, its labels and, for a bucket, its bound. */
static void
metrics_write_name(struct str *to, const struct metric *m, const struct series *s,
		   const char *suffix, const double *bound)
{
	const char *separator = "{";
	size_t i;

	str_printf(to, "%s%s", m->name, suffix);
	for (i = 0; i < m->label_count; i++) {
		str_printf(to, "%s%s=\"", separator, m->labels[i]);
		metrics_write_escaped(to, s->values[i]);
		str_puts(to, "\"");
		separator = ",";
	}
	if (bound) {
		str_printf(to, "%sle=\"", separator);
		metrics_write_number(to, *bound);
		str_puts(to, "\"");
	}
	str_puts(to, m->label_count || bound ? "} " : " ");
}

static void
metrics_write_histogram(struct str *to, const struct metric *m, const struct series *s)
{
	const double infinite = (double)INFINITY;
	uint64_t below = 0;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		below += s->buckets[i];
		metrics_write_name(to, m, s, "_bucket", &metric_bounds[i]);
		str_printf(to, "%" PRIu64 "\n", below);
	}
	metrics_write_name(to, m, s, "_bucket", &infinite);
	str_printf(to, "%" PRIu64 "\n", s->count);
	metrics_write_name(to, m, s, "_sum", NULL);
	metrics_write_number(to, s->value);
	str_puts(to, "\n");
	metrics_write_name(to, m, s, "_count", NULL);
	str_printf(to, "%" PRIu64 "\n", s->count);
}

void
metric_write(struct metric *m, struct str *to)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };
	const struct series *s;

	(void)pthread_mutex_lock(&m->lock);
	if (m->first) {
		str_printf(to, "# HELP %s ", m->name);
		metrics_write_escaped(to, m->help);
		str_printf(to, "\n# TYPE %s %s\n", m->name, kinds[m->kind]);
	}
	for (s = m->first; s; s = s->next) {
		if (m->kind == METRIC_HISTOGRAM) {
			metrics_write_histogram(to, m, s);
			continue;
		}
		metrics_write_name(to, m, s, "", NULL);
		metrics_write_number(to, s->value);
		str_puts(to, "\n");
	}
	(void)pthread_mutex_unlock(&m->lock);
}
