/* The life of a daemon, seen from outside: a child process, its log, its admin port, its exit code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "daemon/daemon.h"
#include "unit/daemon/sample_daemon.h"

#define DEADLINE_MS 20000

struct child {
	pid_t pid;
	int out; /* its stdout and stderr */
	int port;
	size_t len;
	char text[32768];
};

/* Starts the daemon with arguments and an environment ("NAME=value", NULL). */
static void
start(struct child *c, const char *argument, const char *second, const char *const *env)
{
	char *argv[] = { strdup("sample"), argument ? strdup(argument) : NULL,
			 second ? strdup(second) : NULL, NULL };
	int fds[2], i;

	*c = (struct child){ 0 };
	assert_int_equal(pipe(fds), 0);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		(void)dup2(fds[1], 1);
		(void)dup2(fds[1], 2);
		(void)setenv("LISTEN_ADDRESS", "127.0.0.1", 1);
		(void)setenv("ADMIN_PORT", "0", 1);
		for (; env && *env; env++)
			(void)putenv(strdup(*env));
		i = daemon_main(second ? 3 : argument ? 2 : 1, argv, &spec);
		(void)fflush(stdout);
		_exit(i);
	}
	for (i = 0; i < 3; i++)
		free(argv[i]);
	(void)close(fds[1]);
	c->out = fds[0];
}

/* Reads what the child writes until words stand there; NULL = until its end. */
static void
read_until(struct child *c, const char *words)
{
	int64_t deadline = now_monotonic_ms() + DEADLINE_MS;
	struct pollfd p = { .fd = c->out, .events = POLLIN };
	ssize_t n = 1;

	while (n > 0 && (words == NULL || strstr(c->text, words) == NULL)) {
		if (poll(&p, 1, deadline_left_ms(deadline)) <= 0)
			fail_msg("no \"%s\" in: %s", words ? words : "end", c->text);
		n = read(c->out, c->text + c->len, sizeof c->text - 1 - c->len);
		c->len += n > 0 ? (size_t)n : 0;
		c->text[c->len] = '\0';
	}
	if (words && strstr(c->text, words) == NULL)
		fail_msg("ended without \"%s\": %s", words, c->text);
}

static int
finish(struct child *c)
{
	int status = 0;

	read_until(c, NULL);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	(void)close(c->out);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
wait_started(struct child *c)
{
	read_until(c, "event=started");
	read_until(c, "admin_port=");
	c->port = (int)strtol(strstr(c->text, "admin_port=") + strlen("admin_port="), NULL, 10);
}

static int
dial(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

/* The whole answer, head and body. */
static const char *
get(const struct child *c, const char *path)
{
	static char answer[65536];
	int fd = dial(c->port);
	size_t len = 0;
	ssize_t n;

	assert_true(dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path) >
		    0);
	while ((n = read(fd, answer + len, sizeof answer - 1 - len)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	(void)close(fd);
	return answer;
}

static void
await(const struct child *c, const char *path, const char *words)
{
	int64_t deadline = now_monotonic_ms() + DEADLINE_MS;

	while (strstr(get(c, path), words) == NULL) {
		if (now_monotonic_ms() > deadline)
			fail_msg("no \"%s\" at %s: %s", words, path, get(c, path));
		(void)poll(NULL, 0, 20);
	}
}

static void
set_world(enum answer first, enum answer second)
{
	world->drain_for_ever = 0;
	__atomic_store_n(&world->first, (int)first, __ATOMIC_SEQ_CST);
	__atomic_store_n(&world->second, (int)second, __ATOMIC_SEQ_CST);
}

static int
count(const char *text, const char *words)
{
	int n = 0;

	for (; (text = strstr(text, words)) != NULL; text++)
		n++;
	return n;
}

static void
it_starts_serves_its_admin_port_and_stops_with_0(void **state)
{
	static struct child c;

	(void)state;
	set_world(ANSWERS, ANSWERS);
	start(&c, NULL, NULL, NULL);
	wait_started(&c);
	read_until(&c, "event=ready");
	assert_non_null(strstr(get(&c, "/healthz"), "HTTP/1.1 200"));
	assert_non_null(strstr(get(&c, "/healthz"), "\r\n\r\nok"));
	await(&c, "/readyz", "\r\n\r\nready");
	assert_non_null(strstr(get(&c, "/readyz?verbose"), "\r\n\r\nfirst ok\nsecond ok\n"));
	assert_non_null(strstr(get(&c, "/metrics"), "text/plain; version=0.0.4"));
	assert_non_null(strstr(get(&c, "/metrics"), "tonearm_dependency_up{name=\"second\"} 1\n"));
	assert_non_null(strstr(get(&c, "/metrics"), "\ntonearm_build_info{version=\""));
	assert_non_null(strstr(get(&c, "/metrics"), "\nprocess_open_fds "));
	assert_int_equal(kill(c.pid, SIGTERM), 0);
	assert_int_equal(finish(&c), EXIT_STOPPED);
	assert_int_equal(count(c.text, "event=ready"), 1);
	assert_int_equal(count(c.text, "event=draining"), 1);
	assert_int_equal(count(c.text, "event=stopped"), 1);
}

static void
it_is_ready_once_every_server_was_reached_and_stays_so(void **state)
{
	static struct child c;

	(void)state;
	set_world(ANSWERS, REFUSES);
	start(&c, NULL, NULL, NULL);
	wait_started(&c);
	read_until(&c, "event=dependency_missing name=second error=unavailable");
	await(&c, "/readyz?verbose", "second down 0 s: connection refused\n");
	assert_non_null(strstr(get(&c, "/readyz"), "HTTP/1.1 503"));
	assert_non_null(strstr(get(&c, "/readyz"), "\r\n\r\nnot ready"));
	/* a server that was never reached is named again for a new reason */
	set_world(ANSWERS, DENIES);
	read_until(
		&c,
		"event=dependency_missing name=second error=unavailable reason=\"access denied\"");
	set_world(REFUSES, ANSWERS);
	await(&c, "/readyz", "HTTP/1.1 200");
	read_until(&c, "event=dependency_lost name=first");
	assert_non_null(strstr(get(&c, "/readyz?verbose"), "HTTP/1.1 200"));
	set_world(ANSWERS, ANSWERS);
	read_until(&c, "event=dependency_back name=first");
	assert_int_equal(kill(c.pid, SIGINT), 0);
	assert_int_equal(finish(&c), EXIT_STOPPED);
	assert_int_equal(count(c.text, "dependency_missing"), 2);
	assert_int_equal(count(c.text, "dependency_lost"), 1);
}

static void
a_frozen_server_is_named_and_delays_no_other(void **state)
{
	static struct child c;

	(void)state;
	set_world(FREEZES, ANSWERS);
	start(&c, NULL, NULL, NULL);
	wait_started(&c);
	await(&c, "/readyz?verbose", "first down 0 s: not reached yet\nsecond ok\n");
	read_until(&c, "event=dependency_missing name=first error=timeout reason=\"no answer\"");
	assert_non_null(strstr(get(&c, "/metrics"), "tonearm_dependency_up{name=\"first\"} 0\n"));
	set_world(ANSWERS, ANSWERS);
	read_until(&c, "event=ready");
	assert_int_equal(kill(c.pid, SIGTERM), 0);
	assert_int_equal(finish(&c), EXIT_STOPPED);
}

static void
not_ready_in_time_is_111_and_names_each_missing_server(void **state)
{
	static struct child c;

	(void)state;
	set_world(ANSWERS, REFUSES);
	start(&c, NULL, NULL, (const char *const[]){ "START_TIMEOUT=500ms", NULL });
	assert_int_equal(finish(&c), EXIT_NOT_STARTED);
	assert_non_null(strstr(c.text, "event=failed error=timeout"));
	assert_non_null(strstr(c.text, "never reached: second\""));
	assert_int_equal(count(c.text, "event=draining"), 0);
	/* the reasons of the first do not push out the second */
	set_world(REFUSES_AT_LENGTH, REFUSES);
	start(&c, NULL, NULL, (const char *const[]){ "START_TIMEOUT=500ms", NULL });
	assert_int_equal(finish(&c), EXIT_NOT_STARTED);
	assert_non_null(strstr(c.text, "never reached: first, second\""));
	assert_int_equal(count(c.text, "event=dependency_missing"), 2);
}

static void
a_drain_is_not_ready_and_a_second_signal_ends_it(void **state)
{
	static struct child c;

	(void)state;
	set_world(ANSWERS, ANSWERS);
	world->drain_for_ever = 1;
	start(&c, NULL, NULL, NULL);
	wait_started(&c);
	read_until(&c, "event=ready");
	assert_int_equal(kill(c.pid, SIGTERM), 0);
	read_until(&c, "event=draining");
	assert_non_null(strstr(get(&c, "/readyz"), "HTTP/1.1 503"));
	assert_non_null(strstr(get(&c, "/readyz?verbose"), "second ok\ndraining\n"));
	assert_int_equal(kill(c.pid, SIGTERM), 0);
	assert_int_equal(finish(&c), EXIT_STOPPED);
	assert_non_null(strstr(c.text, "second signal"));
}

static void
a_taken_port_is_one_line_and_111(void **state)
{
	static struct child c, other;
	char port[32];

	(void)state;
	set_world(ANSWERS, ANSWERS);
	start(&c, NULL, NULL, NULL);
	wait_started(&c);
	(void)snprintf(port, sizeof port, "ADMIN_PORT=%d", c.port);
	start(&other, NULL, NULL, (const char *const[]){ port, NULL });
	assert_int_equal(finish(&other), EXIT_NOT_STARTED);
	assert_int_equal(count(other.text, "\n"), 1);
	assert_non_null(strstr(other.text, "admin port"));
	start(&other, "--health", NULL, (const char *const[]){ port, NULL });
	assert_int_equal(finish(&other), 0);
	assert_int_equal(kill(c.pid, SIGTERM), 0);
	assert_int_equal(finish(&c), EXIT_STOPPED);
	start(&other, "--health", NULL, (const char *const[]){ port, NULL });
	assert_int_equal(finish(&other), 1);
}

static void
options_answer_and_exit(void **state)
{
	static const struct {
		const char *argument, *second, *env;
		int code;
		const char *words;
	} rows[] = {
		{ "--help", NULL, NULL, 0, "usage: sample" },
		{ "--help", NULL, NULL, 0, "  SAMPLE_NAME " },
		{ "--help", NULL, NULL, 0, "compare an argument" },
		{ "--help=markdown", NULL, NULL, 0, "| `SAMPLE_NAME` | text | `x` | any name |" },
		{ "--version", NULL, NULL, 0, "sample (tonearm) " },
		{ "--check-config", NULL, NULL, 0, "the configuration is good" },
		{ "--check-config", NULL, "ADMIN_PORT=x", EXIT_CONFIG, "ADMIN_PORT: \"x\"" },
		{ "--check-config", NULL, "SAMPLE_NAME=bad", EXIT_CONFIG, "a bad name" },
		{ "--check-config", NULL, "SAMPLE_NAMES=x", EXIT_CONFIG,
		  "SAMPLE_NAMES: did you mean SAMPLE_NAME?\n" },
		{ "--check-config", NULL, "LISTEN_ADDRESS=300.1.1.1", EXIT_CONFIG,
		  "LISTEN_ADDRESS: \"300.1.1.1\" is no IPv4 or IPv6 address\n" },
		{ "--check-config", NULL, "LOG_LEVEL=INFO", 0, "the configuration is good" },
		{ NULL, NULL, "LOG_LEVEL=loud", EXIT_CONFIG,
		  "LOG_LEVEL: \"loud\" is none of debug, info, warn, error\n" },
		{ NULL, NULL, "LOG_LEVEL=loud", EXIT_CONFIG, "LOG_LEVEL: \"loud\"" },
		{ "--nonsense", NULL, NULL, EXIT_CONFIG, "try sample --help" },
		{ "--version", "x", NULL, EXIT_CONFIG, "try sample --help" },
		{ "compare", "x", NULL, 7, "" },
		{ "compare", "y", NULL, 8, "" },
		{ "compare", "y", "SAMPLE_NAME=bad", 8, "" },
		{ "compare", "y", "SAMPLE_NAMES=x", 8, "" },
		{ "compare", "y", "ADMIN_PORT=-1", EXIT_CONFIG, "ADMIN_PORT" },
	};
	static struct child c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		start(&c, rows[i].argument, rows[i].second,
		      (const char *const[]){ rows[i].env, NULL });
		assert_int_equal(finish(&c), rows[i].code);
		if (strstr(c.text, rows[i].words) == NULL)
			fail_msg("no \"%s\" in: %s", rows[i].words, c.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_serves_its_admin_port_and_stops_with_0),
		cmocka_unit_test(it_is_ready_once_every_server_was_reached_and_stays_so),
		cmocka_unit_test(a_frozen_server_is_named_and_delays_no_other),
		cmocka_unit_test(not_ready_in_time_is_111_and_names_each_missing_server),
		cmocka_unit_test(a_drain_is_not_ready_and_a_second_signal_ends_it),
		cmocka_unit_test(a_taken_port_is_one_line_and_111),
		cmocka_unit_test(options_answer_and_exit),
	};

	world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
