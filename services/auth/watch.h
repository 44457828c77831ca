/* Keeps an eye on the user store: brings its schema up to date when it is first reached, and
 * refreshes the restrictions every 30 s. One thread. */
#ifndef TONEARM_AUTH_WATCH_H
#define TONEARM_AUTH_WATCH_H

#include "auth/restrictions.h"
#include "base/stop.h"

struct watch_config {
	struct user_store *users;          /* borrowed until watch_stop */
	struct restrictions *restrictions; /* borrowed until watch_stop */
	int (*migrate)(struct user_store *, int *ret_applied, struct err *); /* NULL = never */
	int64_t interval_ms, retry_ms;
};

struct watch;
int watch_start(const struct watch_config *config, struct watch **ret, struct err *e);
/* The dependency's ping: 0 once the schema is there and the restrictions are known, and MySQL
 * answers. */
int watch_ping(void *watch, struct err *e);
void watch_stop(struct watch *w);
SCOPE_DEFINE(struct watch, watch_stop)

#endif
