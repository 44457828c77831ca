/* Landlock, by its system calls: Debian 12's libc has no names for them. */
#ifndef TONEARM_SANDBOX_LANDLOCK_H
#define TONEARM_SANDBOX_LANDLOCK_H

#include <stdbool.h>

#include "base/err.h"

/* From now on no file can be opened, made or run by this thread and its children, and no TCP port
 * bound or connected to. *ret_entered false: this kernel has none, or has it switched off. */
int landlock_enter(bool *ret_entered, struct err *e);

#endif
