/* User store on MySQL or MariaDB, with a bounded pool of connections. Does not connect when
 * made. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_MYSQL_USERS_H
#define TONEARM_ADAPTER_MYSQL_USERS_MYSQL_USERS_H

#include <stdint.h>

#include "base/secret.h"
#include "port/user_store.h"

struct mysql_users_config {
	const char *host, *user, *database;
	const struct secret *password; /* borrowed until close */
	int port;
	int max_connections; /* 16 */
	int64_t deadline_ms; /* 3000 */
};
int mysql_users_new(const struct mysql_users_config *config, struct user_store **ret,
		    struct err *e);
/* Applies the numbered migrations (embedded at build time from sql/) that are missing, under a
 * server-side lock; safe on a fresh database, on MsgQ's, and twice. *ret_applied counts. */
int mysql_users_migrate(struct user_store *s, int *ret_applied, struct err *e);
void mysql_users_usage(struct user_store *s, int *ret_used, int *ret_max);

#endif
