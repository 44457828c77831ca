/* How much memory this process and its children may use together. Threads: any. */
#ifndef TONEARM_BASE_MACHINE_MEMORY_LIMIT_H
#define TONEARM_BASE_MACHINE_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes: the lowest limit of its cgroup and of those above that can be seen (v2 or v1), or the
 * machine's memory. */
int64_t memory_limit(void);
/* The cgroups' alone, of a file system mounted at root and a process whose /proc/self/cgroup is at
 * membership; 0 = none. */
int64_t memory_limit_of(const char *root, const char *membership);

#endif
