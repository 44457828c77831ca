#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log/log.h"
#include "base/scope.h"
#include "base/secret.h"
#include "daemon/life.h"

#define OVERSEE_MS 500
#define TRIM_ROUNDS 20 /* of these: 10 s */
#define TRIM_BYTES ((size_t)32 << 20)

/* A handler has no argument: the one stop that signals ask for. Set before they are let in. */
static struct stop *stop_of_signals;

static void
daemon_on_signal(int number)
{
	static const char words[] = "second signal: exit at once\n";

	(void)number;
	if (stop_requested(stop_of_signals)) {
		ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);

		(void)ignored;
		_exit(EXIT_STOPPED);
	}
	stop_request(stop_of_signals);
}

static void
daemon_handle_signals(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_flags = SA_RESTART };

	action.sa_handler = handler;
	(void)sigemptyset(&action.sa_mask);
	/* Two signals at once must count as two. */
	(void)sigaddset(&action.sa_mask, SIGTERM);
	(void)sigaddset(&action.sa_mask, SIGINT);
	(void)sigaction(number, &action, NULL);
}

/* What is free in the middle of the heap stays with the process, unless it is told: a thousand
 * uploads that have ended would be held as 290 MiB. Seldom, and only when it is much, since the
 * next ones take the pages anew. */
static void
daemon_trim_heap(void)
{
	if (mallinfo2().fordblks > TRIM_BYTES)
		(void)malloc_trim(TRIM_BYTES / 2);
}

/* Notices frozen pings while the daemon runs, and the beginning of the drain. */
static void *
daemon_oversee(void *arg)
{
	struct daemon *d = arg;

	for (int n = 1; !stop_requested(&d->finished) && !stop_wait(&d->stop, OVERSEE_MS); n++) {
		health_check_frozen(d->health);
		if (n % TRIM_ROUNDS == 0)
			daemon_trim_heap();
	}
	if (stop_requested(&d->stop))
		log_info(LOG_EVENT("draining"));
	(void)stop_wait(&d->finished, INT64_MAX);
	return NULL;
}

void
daemon_dependency(struct daemon *d, const char *name, int (*ping)(void *arg, struct err *e),
		  void *arg)
{
	struct err e = ERR_NONE;

	/* A fault of the program, seen at its first start. */
	if (health_add(d->health, name, ping, arg, &e) < 0)
		log_error(LOG_EVENT("dependency_refused"), LOG_STR("name", name), LOG_ERR(&e));
}

int
daemon_watch(struct daemon *d, struct err *e)
{
	int r = health_start(d->health, e);

	if (r == 0)
		atomic_store(&d->watching, true);
	return r;
}

void
daemon_unwatch(struct daemon *d)
{
	health_stop(d->health);
	metrics_forget_scrapes(d->metrics);
}

static int
daemon_start_timeout(struct daemon *d, struct err *e)
{
	SCOPED(str_free) struct str missing = STR_MAX(200);

	/* why stands in a line of its own for each */
	health_name_missing(d->health, &missing);
	return err_set(e, ERR_TIMEOUT, "START_TIMEOUT has passed, never reached: %s",
		       str_text(&missing));
}

enum wait_for { WAIT_READY, WAIT_STOP };

/* The loop of both waits: 0 when what is waited for, or the stop, came. */
static int
daemon_wait_until(struct daemon *d, enum wait_for what, struct err *e)
{
	int64_t timeout = d->config->start_timeout_ms;
	int64_t deadline = timeout ? d->began_ms + timeout : INT64_MAX;

	while (!stop_requested(&d->stop)) {
		bool ready = health_reached(d->health);
		struct pollfd p[] = { { .fd = d->stop.fd, .events = POLLIN },
				      { .fd = health_fd(d->health), .events = POLLIN } };

		if (ready && what == WAIT_READY)
			return 0;
		if (!ready && now_monotonic_ms() >= deadline)
			return daemon_start_timeout(d, e);
		if (poll(p, ready ? 1 : 2, ready ? -1 : deadline_left_ms(deadline)) < 0 &&
		    errno != EINTR)
			return err_errno(e, ERR_INTERNAL, errno, "poll");
	}
	return 0;
}

int
daemon_wait_ready(struct daemon *d, struct err *e)
{
	int r = daemon_wait_until(d, WAIT_READY, e);

	if (r < 0 || stop_requested(&d->stop))
		daemon_unwatch(d);
	return r;
}

int
daemon_wait_stop(struct daemon *d, struct err *e)
{
	int r = daemon_wait_until(d, WAIT_STOP, e);

	daemon_unwatch(d);
	return r;
}

struct stop *
daemon_stop(struct daemon *d)
{
	return &d->stop;
}

struct metrics *
daemon_metrics(struct daemon *d)
{
	return d->metrics;
}

static int
daemon_fail(const struct err *e)
{
	log_error(LOG_EVENT("failed"), LOG_ERR(e));
	return e->code == ERR_INVALID ? EXIT_CONFIG : EXIT_NOT_STARTED;
}

/* Serves with the admin port up. */
static int
daemon_run_overseen(struct daemon *d, const void *config)
{
	struct err e = ERR_NONE;
	int r = pthread_create(&d->overseer, NULL, daemon_oversee, d);

	if (r != 0) {
		(void)err_errno(&e, ERR_NO_MEMORY, r, "thread");
		return daemon_fail(&e);
	}
	r = d->spec->run(d, config, &e);
	if (r < 0 && e.code != r)
		(void)err_set(&e, r, "run failed without a reason");
	daemon_unwatch(d);
	stop_request(&d->finished);
	(void)pthread_join(d->overseer, NULL);
	if (r < 0)
		return daemon_fail(&e);
	log_info(LOG_EVENT("stopped"));
	return EXIT_STOPPED;
}

static int
daemon_serve(struct daemon *d, const void *config)
{
	struct err e = ERR_NONE;
	int r;

	process_metrics_add(d);
	stop_of_signals = &d->stop;
	daemon_handle_signals(SIGTERM, daemon_on_signal);
	daemon_handle_signals(SIGINT, daemon_on_signal);
	if (admin_start(d, &e) < 0) {
		(void)err_prefix(&e, ERR_UNAVAILABLE, "admin port %d", (int)d->config->admin_port);
		return daemon_fail(&e);
	}
	log_info(LOG_EVENT("started"), LOG_STR("version", TONEARM_VERSION),
		 LOG_INT("admin_port", http_server_port(d->admin)));
	r = daemon_run_overseen(d, config);
	http_server_close(d->admin);
	return r;
}

/* Makes what a daemon stands on, and takes it down again. */
static int
daemon_live(const struct daemon_spec *spec, const void *config, int64_t began_ms)
{
	const struct daemon_config *c = config;
	struct daemon d = { .spec = spec, .config = c, .began_ms = began_ms };
	struct err e = ERR_NONE;
	int r;

	log_init(spec->name, (enum log_level)c->log_level, (enum log_format)c->log_format,
		 STDOUT_FILENO);
	options_log_strays(spec);
	d.stop.fd = d.finished.fd = -1;
	if (stop_init(&d.stop, &e) < 0 || stop_init(&d.finished, &e) < 0 ||
	    metrics_new(&d.metrics, &e) < 0 || health_new(d.metrics, &d.health, &e) < 0)
		r = daemon_fail(&e);
	else
		r = daemon_serve(&d, config);
	/* The handler's stop goes away below, and what is left takes no time. */
	daemon_handle_signals(SIGTERM, SIG_IGN);
	daemon_handle_signals(SIGINT, SIG_IGN);
	health_free(d.health);
	metrics_free(d.metrics);
	stop_fini(&d.finished);
	stop_fini(&d.stop);
	return r;
}

/* Threads come and go with connections: without this, each leaves its buffers behind in an arena of
 * its own. Low thresholds would bound more, but replies of half a megabyte would then be new pages
 * each time: 60,000 page faults for a download of 368 MB, at twice the processor time. */
static void
daemon_bound_memory(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, 1536 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

/* A connection is a descriptor, and the usual soft limit of 1024 is for programs that use
 * select. */
static void
daemon_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int
daemon_main(int argc, char **argv, const struct daemon_spec *spec)
{
	int64_t began_ms = now_monotonic_ms();
	void *config = calloc(1, spec->config_size);
	bool serves;
	int r;

	if (!config)
		return EXIT_NOT_STARTED;
	daemon_bound_memory();
	daemon_raise_descriptor_limit();
	daemon_handle_signals(SIGPIPE, SIG_IGN);
	r = options_main(argc, argv, spec, &serves, config);
	if (serves)
		r = daemon_live(spec, config, began_ms);
	memory_wipe(config, spec->config_size);
	free(config);
	return r;
}
