/* Reading ahead: one thread does a task of a reader while that reader hands out what it has. One
 * task at a time: a lone reader gains a third by it; many readers keep the cores busy by
 * themselves. Threads: any; a task belongs to the thread from gridfs_ahead_put to gridfs_ahead_claim. */
#ifndef TONEARM_ADAPTER_GRIDFS_AHEAD_H
#define TONEARM_ADAPTER_GRIDFS_AHEAD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"

struct gridfs_task {
	void (*run)(struct gridfs_task *); /* must end by a deadline of its own */
	enum { AHEAD_IDLE, AHEAD_WAITING, AHEAD_RUNNING, AHEAD_DONE } state; /* the thread's */
};

struct gridfs_ahead;

int gridfs_ahead_new(struct gridfs_ahead **ret, struct err *e);
/* Every task must have been claimed. */
void gridfs_ahead_free(struct gridfs_ahead *a);
/* False while another task waits or runs. The thread starts with the first task. */
bool gridfs_ahead_put(struct gridfs_ahead *a, struct gridfs_task *t);
/* Ends the task's stay: true when it has run (waits while it runs), false when it never will. */
bool gridfs_ahead_claim(struct gridfs_ahead *a, struct gridfs_task *t);

SCOPE_DEFINE(struct gridfs_ahead, gridfs_ahead_free)

#endif
