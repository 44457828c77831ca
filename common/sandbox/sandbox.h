/* Walls around a process that is about to touch hostile bytes: it may compute, make threads, and
 * read and write what it holds; nothing else. For good, and for every thread it makes later. Works
 * as any user, without capabilities. Threads: call it before there is a second one.
 *
 * seccomp   a list of allowed system calls. All others fail with EPERM (clone3 with ENOSYS, so that
 *           libc falls back to clone): no open, no socket, no exec, no new process, no executable
 *           memory, no signal to another process.
 * landlock  no file, no TCP port, whatever call it might be: a second wall, where the kernel has it
 *           (5.13; ports from 6.7). */
#ifndef TONEARM_SANDBOX_SANDBOX_H
#define TONEARM_SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

/* INTERNAL when the kernel refuses. *ret_landlock tells whether the second wall stands; it may be
 * NULL. */
int sandbox_enter(bool *ret_landlock, struct err *e);

#endif
