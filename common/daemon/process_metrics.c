#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "daemon/life.h"

static double
process_resident_bytes(void)
{
	unsigned long total, resident;
	FILE *f = fopen("/proc/self/statm", "re");
	int n;

	if (!f)
		return 0;
	n = fscanf(f, "%lu %lu", &total, &resident);
	(void)fclose(f);
	return n == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double
process_open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -1; /* the directory's own */

	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

static double
process_cpu_seconds(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
process_metrics_refresh(struct daemon *d)
{
	metric_set(d->resident, process_resident_bytes(), NULL);
	metric_set(d->descriptors, process_open_descriptors(), NULL);
	metric_set(d->cpu, process_cpu_seconds(), NULL);
}

void
process_metrics_add(struct daemon *d)
{
	struct metrics *m = d->metrics;
	const char *version = TONEARM_VERSION;
	struct metric *build = metrics_gauge(m, "tonearm_build_info", "1, by version.",
					     (const char *const[]){ "version", NULL });

	metric_set(build, 1, &version);
	d->resident = metrics_gauge(m, "process_resident_memory_bytes", "Resident memory.", NULL);
	d->descriptors = metrics_gauge(m, "process_open_fds", "Open file descriptors.", NULL);
	d->cpu = metrics_counter(m, "process_cpu_seconds_total", "CPU time used.", NULL);
	d->started = metrics_gauge(m, "process_start_time_seconds", "Start, in Unix time.", NULL);
	metric_set(d->started, (double)now_unix_ms() / 1000, NULL);
	d->requests = metrics_counter(m, "tonearm_http_requests_total",
				      "HTTP requests; status 0: the client left before an answer.",
				      (const char *const[]){ "route", "method", "status", NULL });
	d->durations = metrics_histogram(m, "tonearm_http_request_duration_seconds",
					 "Duration of HTTP requests.",
					 (const char *const[]){ "route", NULL });
	d->bytes = metrics_counter(m, "tonearm_http_bytes_total", "Bytes of HTTP bodies.",
				   (const char *const[]){ "direction", NULL });
}

/* Clients make methods up: only known ones become labels. */
static const char *
process_known_method(const char *method)
{
	static const char *const known[] = { "GET",    "HEAD",  "POST",   "PUT",
					     "DELETE", "PATCH", "OPTIONS" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(method, known[i]) == 0)
			return known[i];
	return "other";
}

static enum log_level
process_level_of(int status)
{
	if (status >= 500)
		return LOG_LEVEL_WARN;
	return status >= 200 && status < 400 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

void
daemon_observe_http(const struct http_done *done, void *daemon)
{
	struct daemon *d = daemon;
	const char *method = process_known_method(done->method);
	char status[16];

	(void)snprintf(status, sizeof status, "%d", done->status);
	metric_add(d->requests, 1, (const char *const[]){ done->route, method, status });
	metric_observe(d->durations, (double)done->duration_ms / 1000, &done->route);
	metric_add(d->bytes, (double)done->bytes_in, (const char *const[]){ "in" });
	metric_add(d->bytes, (double)done->bytes_out, (const char *const[]){ "out" });
	LOG_LINE(process_level_of(done->status), LOG_EVENT("http_request"),
		 LOG_STR("request_id", done->request_id), LOG_STR("method", method),
		 LOG_STR("route", done->route), LOG_INT("status", done->status),
		 LOG_INT("duration_ms", done->duration_ms), LOG_INT("bytes_in", done->bytes_in),
		 LOG_INT("bytes_out", done->bytes_out));
}
