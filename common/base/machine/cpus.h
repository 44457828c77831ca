/* How many processors this process may use. Threads: any. */
#ifndef TONEARM_BASE_MACHINE_CPUS_H
#define TONEARM_BASE_MACHINE_CPUS_H

/* At least 1: the scheduler's mask, and the quota of the container's cgroup (v2 or v1; a started
 * processor counts). */
int cpu_count(void);
/* As cpu_count, of a cgroup file system mounted at root. */
int cpu_quota(const char *root); /* 0 = none */

#endif
