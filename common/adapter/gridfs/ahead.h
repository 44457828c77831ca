/* Reading ahead: one thread does a task of a reader while that reader hands out what it has. One
 * task at a time: a lone reader gains a third by it; many readers keep the cores busy by
 * themselves. Threads: any; a task belongs to the thread from ahead_put to ahead_claim. */
#ifndef TONEARM_ADAPTER_GRIDFS_AHEAD_H
#define TONEARM_ADAPTER_GRIDFS_AHEAD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"

struct ahead_task {
	void (*run)(struct ahead_task *); /* must end by a deadline of its own */
	enum { AHEAD_IDLE, AHEAD_WAITING, AHEAD_RUNNING, AHEAD_DONE } state; /* the thread's */
};

struct ahead;

int ahead_new(struct ahead **ret, struct err *e);
/* Every task must have been claimed. */
void ahead_free(struct ahead *a);
/* False while another task waits or runs. The thread starts with the first task. */
bool ahead_put(struct ahead *a, struct ahead_task *t);
/* Ends the task's stay: true when it has run (waits while it runs), false when it never will. */
bool ahead_claim(struct ahead *a, struct ahead_task *t);

SCOPE_DEFINE(struct ahead, ahead_free)

#endif
