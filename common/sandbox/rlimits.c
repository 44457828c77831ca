#include "sandbox/rlimits.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define CPU_GRACE_S 5

static int
rlimit_set(__rlimit_resource_t resource, const char *name, rlim_t soft, rlim_t hard, struct err *e)
{
	if (setrlimit(resource, &(struct rlimit){ soft, hard }) < 0)
		return err_errno(e, ERR_INTERNAL, errno, name);
	return 0;
}

int
rlimits_apply(const struct rlimits *limits, struct err *e)
{
	rlim_t memory = (rlim_t)limits->memory_bytes, cpu = (rlim_t)limits->cpu_seconds;
	rlim_t descriptors = (rlim_t)limits->descriptors;
	int r;

	if ((r = rlimit_set(RLIMIT_CORE, "core limit", 0, 0, e)) < 0 ||
	    (r = rlimit_set(RLIMIT_FSIZE, "file limit", 0, 0, e)) < 0 ||
	    (r = rlimit_set(RLIMIT_NOFILE, "descriptor limit", descriptors, descriptors, e)) < 0)
		return r;
	if (cpu > 0 && (r = rlimit_set(RLIMIT_CPU, "cpu limit", cpu, cpu + CPU_GRACE_S, e)) < 0)
		return r;
	return memory > 0 ? rlimit_set(RLIMIT_AS, "memory limit", memory, memory, e) : 0;
}

int
process_harden(struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, ERR_INTERNAL, errno, "prctl");
	return 0;
}
