/* CLONE_THREAD */
#define _GNU_SOURCE
#include "sandbox/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/scope.h"
#include "sandbox/landlock.h"

/* What libc, libav and LAME need to compute, to use memory and threads, and to talk over a socket
 * that is open already. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(recvfrom),
	SCMP_SYS(close),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

struct rule {
	int call;
	struct scmp_arg_cmp arg;
};

static int
add_rules(scmp_filter_ctx filter, pid_t self)
{
	const struct rule rules[] = {
		/* threads, no processes */
		{ SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD) },
		/* no executable memory */
		{ SCMP_SYS(mmap), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		/* what is connected, no other address */
		{ SCMP_SYS(sendto), SCMP_A4_64(SCMP_CMP_EQ, 0, 0) },
		/* abort() */
		{ SCMP_SYS(tgkill), SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)self, 0) },
		/* a thread's stack size: asked, not set */
		{ SCMP_SYS(prlimit64), SCMP_A2_64(SCMP_CMP_EQ, 0, 0) },
	};
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rules); i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, 1, &rules[i].arg);
	return r;
}

int
sandbox_enter(bool *ret_landlock, struct err *e)
{
	scmp_filter_ctx filter;
	bool landlock;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, ERR_INTERNAL, errno, "no new privileges");
	if ((r = landlock_enter(&landlock, e)) < 0)
		return r;
	if (!(filter = seccomp_init(SCMP_ACT_ERRNO(EPERM))))
		return err_set(e, ERR_NO_MEMORY, "seccomp");
	if ((r = add_rules(filter, getpid())) == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r < 0)
		return err_errno(e, ERR_INTERNAL, -r, "seccomp");
	if (ret_landlock)
		*ret_landlock = landlock;
	return 0;
}
