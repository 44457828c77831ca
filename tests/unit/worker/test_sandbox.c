/* What a process inside the walls can and cannot do, tried for real in a child. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/scope.h"
#include "sandbox/rlimits.h"
#include "sandbox/sandbox.h"

#define NO_SANDBOX 100

/* Runs one attempt inside; gives its answer, 0 to 99, or 128 + the signal that ended it. */
static int
inside(int (*attempt)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(sandbox_enter(NULL, NULL) < 0 ? NO_SANDBOX : attempt());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* 0 = refused as it should be, 1 = it worked, 2 = it failed for another reason. */
static int
refused(long result)
{
	return result >= 0 ? 1 : errno == EPERM ? 0 : 2;
}

static int
open_file(void)
{
	return refused(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
}

static int
make_file(void)
{
	return refused(open("/tmp/tonearm-sandbox-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
make_socket(void)
{
	return refused(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
make_pair(void)
{
	int pair[2];

	return refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static int
run_program(void)
{
	char name[] = "true", *argv[] = { name, NULL }, *env[] = { NULL };

	return refused(execve("/bin/true", argv, env));
}

static int
make_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(1);
	return refused(child);
}

static int
signal_parent(void)
{
	return refused(kill(getppid(), SIGUSR1));
}

static int
signal_parents_thread(void)
{
	return refused(syscall(SYS_tgkill, getppid(), getppid(), SIGUSR1));
}

static int
trace_parent(void)
{
	return refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? refused(-1)
		       : 1;
}

static int
change_to_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 3 : refused(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
raise_limit(void)
{
	struct {
		unsigned long soft, hard;
	} none = { 4096, 4096 };

	return refused(syscall(SYS_prlimit64, 0, 7, &none, NULL));
}

static int
new_namespace(void)
{
	return refused(unshare(CLONE_NEWUSER));
}

static void
what_a_hostile_file_could_want_is_refused(void **state)
{
	int (*const attempts[])(void) = {
		open_file,      make_file,     make_socket,           make_pair,    run_program,
		make_process,   signal_parent, signal_parents_thread, trace_parent, make_code,
		change_to_code, raise_limit,   new_namespace
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int answer = inside(attempts[i]);

		if (answer != 0)
			fail_msg("attempt %zu answered %d", i, answer);
	}
}

static void *
add_up(void *arg)
{
	int *numbers = malloc((size_t)4 << 20);

	if (numbers) {
		memset(numbers, 1, (size_t)4 << 20);
		*(int *)arg += numbers[77];
	}
	free(numbers);
	return NULL;
}

static int
compute(void)
{
	pthread_t threads[4];
	int sums[4] = { 0 };

	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, add_up, &sums[i]) != 0)
			return 1;
	for (int i = 0; i < 4; i++)
		if (pthread_join(threads[i], NULL) != 0 || sums[i] != 0x01010101)
			return 2;
	return 0;
}

static int
give_up(void)
{
	(void)signal(SIGABRT, SIG_DFL);
	abort();
}

static int shared[2];

static int
talk(void)
{
	char byte;

	if (send(shared[1], "x", 1, MSG_NOSIGNAL) != 1 || recv(shared[0], &byte, 1, 0) != 1)
		return 1;
	return byte == 'x' ? 0 : 2;
}

static void
what_a_conversion_needs_works(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, shared), 0);
	assert_int_equal(inside(compute), 0);
	assert_int_equal(inside(talk), 0);
	assert_int_equal(inside(give_up), 128 + SIGABRT);
	(void)close(shared[0]);
	(void)close(shared[1]);
}

static void
it_works_without_rights_of_root(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		_exit(sandbox_enter(NULL, NULL) < 0 ? 2 : open_file());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
bomb(void)
{
	for (size_t i = 0; i < 1024; i++) {
		void *part = malloc((size_t)1 << 20);

		if (!part)
			return 0;
		memset(part, 1, (size_t)1 << 20);
	}
	return 1;
}

static void
a_memory_bomb_stops_at_the_limit(void **state)
{
	const struct rlimits limits = { .memory_bytes = INT64_C(128) << 20, .descriptors = 16 };
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(rlimits_apply(&limits, NULL) < 0 ? 2 : bomb());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_hostile_file_could_want_is_refused),
		cmocka_unit_test(what_a_conversion_needs_works),
		cmocka_unit_test(it_works_without_rights_of_root),
		cmocka_unit_test(a_memory_bomb_stops_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
