/* A file without a name, for what comes through standard input or goes to standard output: the one
 * is read to and fro, the other written at its front last. It lies in the folder that TMPDIR names,
 * else in /tmp, and is gone when its descriptor is closed, however that comes. Threads: one. */
#ifndef TONEARM_CONVERTER_SPOOL_H
#define TONEARM_CONVERTER_SPOOL_H

#include "base/err.h"

/* DENIED, NOT_FOUND and the like name the folder. */
int spool_open(int *ret_fd, struct err *e);
/* All that from still gives, to to. */
int spool_copy(int from, int to, struct err *e);
/* The code for a failure of the file system. */
int spool_error_of(int cause);

#endif
