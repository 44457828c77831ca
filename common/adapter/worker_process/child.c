/* posix_spawn_file_actions_addclosefrom_np */
#define _GNU_SOURCE
#include "adapter/worker_process/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"

#define REAP_INTERVAL_MS 2

static int
child_add_descriptors(posix_spawn_file_actions_t *actions, int socket)
{
	int r;

	/* The socket first: it may itself stand where /dev/null goes. */
	if ((r = posix_spawn_file_actions_adddup2(actions, socket, WORKER_SOCKET)) != 0 ||
	    (r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)) != 0 ||
	    (r = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0)) != 0)
		return r;
#ifndef TONEARM_SANITIZED
	/* A sanitizer's finding would be lost. */
	if ((r = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0)) != 0)
		return r;
#endif
	return posix_spawn_file_actions_addclosefrom_np(actions, WORKER_SOCKET + 1);
}

/* Default signals, none blocked, a group of its own: a terminal's ^C is for the daemon alone. */
static int
child_set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int r;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	if ((r = posix_spawnattr_setsigdefault(attributes, &all)) != 0 ||
	    (r = posix_spawnattr_setsigmask(attributes, &none)) != 0 ||
	    (r = posix_spawnattr_setpgroup(attributes, 0)) != 0)
		return r;
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETPGROUP);
}

static int
child_spawn(const char *program, char *const argv[], int socket, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *environment[] = { NULL };
	int r;

	if ((r = posix_spawn_file_actions_init(&actions)) != 0)
		return r;
	if ((r = posix_spawnattr_init(&attributes)) == 0) {
		if ((r = child_add_descriptors(&actions, socket)) == 0 &&
		    (r = child_set_attributes(&attributes)) == 0)
			r = posix_spawn(ret, program, &actions, &attributes, argv, environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

int
worker_child_start(const char *program, int64_t memory_bytes, int64_t cpu_seconds,
		   struct worker_child *ret, struct err *e)
{
	char name[] = "converter-worker", memory[24], cpu[24];
	char *argv[] = { name, memory, cpu, NULL };
	int sockets[2], r;
	pid_t pid;

#ifdef TONEARM_SANITIZED
	memory_bytes = 0; /* the sanitizers' shadow needs terabytes of address space */
#endif
	(void)snprintf(memory, sizeof memory, "%" PRId64, memory_bytes);
	(void)snprintf(cpu, sizeof cpu, "%" PRId64, cpu_seconds);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return err_errno(e, ERR_UNAVAILABLE, errno, "socketpair");
	r = child_spawn(program, argv, sockets[1], &pid);
	(void)close(sockets[1]);
	if (r != 0) {
		(void)close(sockets[0]);
		return err_errno(e, r == ENOMEM || r == EAGAIN ? ERR_UNAVAILABLE : ERR_INTERNAL, r,
				 program);
	}
	*ret = (struct worker_child){ .pid = pid, .fd = sockets[0] };
	return 0;
}

static pid_t
child_reap(pid_t pid, int *ret_status, int flags)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, flags);
	while (got < 0 && errno == EINTR);
	return got;
}

int
worker_child_end(struct worker_child *c, int grace_ms, bool *ret_killed)
{
	int64_t deadline = now_monotonic_ms() + grace_ms;
	int status = 0;
	pid_t got;

	(void)close(c->fd);
	while ((got = child_reap(c->pid, &status, WNOHANG)) == 0 && deadline_left_ms(deadline) > 0)
		wait_pause(REAP_INTERVAL_MS);
	*ret_killed = got == 0;
	if (got == 0) {
		(void)kill(c->pid, SIGKILL);
		(void)child_reap(c->pid, &status, 0);
	}
	return status;
}
