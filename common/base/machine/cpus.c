/* sched_getaffinity */
#define _GNU_SOURCE
#include "base/machine/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>

/* The first numbers of a file; returns how many there were, up to two. */
static int
cpu_read_numbers(const char *root, const char *name, long long *a, long long *b)
{
	char path[PATH_MAX];
	FILE *file;
	int got;

	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	if (!(file = fopen(path, "re")))
		return 0;
	got = fscanf(file, "%lld %lld", a, b);
	(void)fclose(file);
	return got;
}

int
cpu_quota(const char *root)
{
	long long quota = 0, period = 0, none;

	/* v2: "max 100000" or "150000 100000" */
	if (cpu_read_numbers(root, "cpu.max", &quota, &period) != 2 &&
	    (cpu_read_numbers(root, "cpu/cpu.cfs_quota_us", &quota, &none) != 1 ||
	     cpu_read_numbers(root, "cpu/cpu.cfs_period_us", &period, &none) != 1))
		return 0;
	if (quota <= 0 || period <= 0 || quota / period >= INT_MAX)
		return 0;
	return (int)((quota + period - 1) / period);
}

int
cpu_count(void)
{
	cpu_set_t set;
	int count = 1, quota = cpu_quota("/sys/fs/cgroup");

	if (sched_getaffinity(0, sizeof set, &set) == 0)
		count = CPU_COUNT(&set);
	return quota > 0 && quota < count ? quota : count;
}
