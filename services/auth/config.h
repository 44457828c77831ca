/* auth's configuration. */
#ifndef TONEARM_AUTH_CONFIG_H
#define TONEARM_AUTH_CONFIG_H

#include "daemon/daemon.h"
#include "port/password.h"
#include "port/user_store.h"

struct auth_config {
	struct daemon_config daemon;
	int64_t listen_port;
	char mysql_host[256], mysql_user[128], mysql_db[128];
	int64_t mysql_port, mysql_connections;
	struct secret mysql_password, jwt_secret, jwt_accept;
	bool mysql_migrate;
	int64_t argon2_memory, argon2_iterations;
	int64_t hash_concurrency, hash_queue;
	int64_t failures_per_pair, failures_per_address, failure_window_ms;
	char trusted_proxies[1024];
	int64_t max_connections, drain_delay_ms;
};

extern const struct config_key auth_keys[];

/* Ports as config says, over adapters that main.c alone names. */
int auth_users_new(const struct auth_config *config, struct user_store **ret, struct err *e);
int auth_passwords_new(const struct auth_config *config, struct password_hasher **ret,
		       struct err *e);
/* Brings the schema of a store that auth_users_new made up to date; counts the changes. */
int auth_users_migrate(struct user_store *users, int *ret_applied, struct err *e);

#endif
