/* The daemon that test_daemon.c starts as a child: two servers that it pings, and a command. */
#ifndef TONEARM_TEST_SAMPLE_DAEMON_H
#define TONEARM_TEST_SAMPLE_DAEMON_H

#include <poll.h>
#include <stddef.h>
#include <string.h>

#include "daemon/daemon.h"

/* What the test tells the child's pings, in shared memory. */
enum answer { ANSWERS, REFUSES, REFUSES_AT_LENGTH, DENIES, FREEZES };
struct world {
	int first, second; /* enum answer of two dependencies */
	int drain_for_ever;
};
static struct world *world;

struct sample_config {
	struct daemon_config daemon;
	char name[16];
};
static const struct config_key sample_keys[] = {
	CONFIG_KEY_TEXT(struct sample_config, name, "SAMPLE_NAME", "x", "any name"),
	CONFIG_END,
};

static int
ping(void *arg, struct err *e)
{
	const int *answer = arg;

	/* A frozen server: no answer until the test says so. */
	while (__atomic_load_n(answer, __ATOMIC_SEQ_CST) == FREEZES)
		(void)poll(NULL, 0, 5);
	if (__atomic_load_n(answer, __ATOMIC_SEQ_CST) == REFUSES)
		return err_set(e, ERR_UNAVAILABLE, "connection\nrefused");
	if (__atomic_load_n(answer, __ATOMIC_SEQ_CST) == REFUSES_AT_LENGTH)
		return err_set(e, ERR_UNAVAILABLE, "no server of the set: %0200d", 1);
	if (__atomic_load_n(answer, __ATOMIC_SEQ_CST) == DENIES)
		return err_set(e, ERR_UNAVAILABLE, "access denied");
	return 0;
}

static int
run(struct daemon *d, const void *config, struct err *e)
{
	int r;

	(void)config;
	daemon_dependency(d, "first", ping, &world->first);
	daemon_dependency(d, "second", ping, &world->second);
	if ((r = daemon_watch(d, e)) < 0 || (r = daemon_wait_stop(d, e)) < 0)
		return r;
	while (world->drain_for_ever)
		(void)poll(NULL, 0, 1000);
	return 0;
}

static int
check(const void *config, struct err *e)
{
	const struct sample_config *c = config;

	return strcmp(c->name, "bad") == 0 ? err_set(e, ERR_INVALID, "a bad name") : 0;
}

static int
compare(const struct command_call *call)
{
	const struct sample_config *c = call->config;

	return strcmp(call->operands[0], c->name) == 0 ? 7 : 8;
}

static const struct command_verb compare_verbs[] = {
	{ .operands = "NAME", .help = "Compares NAME with the configured one.", .run = compare },
	{ 0 },
};
static const struct command compare_command = {
	.name = "compare",
	.summary = "compare an argument with the name",
	.verbs = compare_verbs,
};
static const struct command *const commands[] = { &compare_command, NULL };
static const struct daemon_spec spec = {
	.name = "sample",
	.summary = "a sample",
	.keys = sample_keys,
	.config_size = sizeof(struct sample_config),
	.run = run,
	.check = check,
	.commands = commands,
};

#endif
