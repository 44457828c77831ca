/* Watches the servers that a daemon needs: one thread each, so that a frozen one delays no other.
 * Logs one line when one is missing (another for a new reason, a few at most), lost or back, and
 * one when all were reached. Threads: after health_start any may ask. Private to daemon/. */
#ifndef TONEARM_DAEMON_HEALTH_H
#define TONEARM_DAEMON_HEALTH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text/str.h"
#include "daemon/metrics.h"

#define DEPENDENCIES_MAX 8

struct health;

int health_new(struct metrics *m, struct health **ret, struct err *e);
/* Before health_start. INVALID past DEPENDENCIES_MAX. */
int health_add(struct health *h, const char *name, int (*ping)(void *arg, struct err *e), void *arg,
	       struct err *e);
int health_start(struct health *h, struct err *e);
/* No ping runs once this returned (it waits for those under way). What was seen stays. */
void health_stop(struct health *h);
void health_free(struct health *h);

/* A ping that has not come back for too long is a lost server: call this every second or so. */
void health_check_frozen(struct health *h);
/* Every dependency was reached once. */
bool health_reached(const struct health *h);
/* Readable for ever once health_reached. */
int health_fd(const struct health *h);
/* Those that were never reached: "mongodb, rabbitmq". */
void health_name_missing(struct health *h, struct str *ret);
/* One line each: `mongodb ok`, `rabbitmq down 12 s: words`. */
void health_describe(struct health *h, struct str *ret);

#endif
