#include "auth/config.h"

#include <string.h>

#include "net/http_server.h"

#define PRIVATE_NETWORKS                                                                           \
	"127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,::1/128,fc00::/7"

#define TEXT(member, name, fallback, help)                                                         \
	CONFIG_KEY_TEXT(struct auth_config, member, name, fallback, help)
#define SECRET(member, name, fallback, help)                                                       \
	CONFIG_KEY_SECRET(struct auth_config, member, name, fallback, help)
#define NUMBER(member, name, fallback, low, high, help)                                            \
	CONFIG_KEY_NUMBER(CONFIG_INTEGER, struct auth_config, member, name, fallback, low, high,   \
			  help)

/* MySQL's library looks up whatever it is given. */
static int
auth_check_host(const char *host, struct err *e)
{
	const char *colon = strchr(host, ':');

	if (strpbrk(host, "/@ ") || (colon && !strchr(colon + 1, ':')))
		return err_set(e, ERR_INVALID,
			       "\"%.60s\" is no host's name or address (its port is MYSQL_PORT)",
			       host);
	return 0;
}

const struct config_key auth_keys[] = {
	CONFIG_KEY_PORT(struct auth_config, listen_port, "LISTEN_PORT", "5000", 0,
			"port of /login and /validate"),
	CONFIG_KEY_TEXT_CHECKED(struct auth_config, mysql_host, "MYSQL_HOST", NULL, auth_check_host,
				"host of MySQL or MariaDB"),
	NUMBER(mysql_port, "MYSQL_PORT", "3306", 1, 65535, "its port"),
	TEXT(mysql_user, "MYSQL_USER", "auth_user", "its user"),
	SECRET(mysql_password, "MYSQL_PASSWORD", NULL, "that user's password"),
	TEXT(mysql_db, "MYSQL_DB", "auth", "the database with the table `user`"),
	NUMBER(mysql_connections, "MYSQL_CONNECTIONS", "16", 1, 1000, "most connections to it"),
	CONFIG_KEY_FLAG(struct auth_config, mysql_migrate, "MYSQL_MIGRATE", "true",
			"apply missing changes of the schema at start (else: `auth migrate`)"),
	SECRET(jwt_secret, "JWT_SECRET", NULL, "signs and verifies tokens; 32 bytes or more"),
	SECRET(jwt_accept, "JWT_ACCEPT", "",
	       "further secrets that verify, separated by commas (while a secret is rotated)"),
	CONFIG_KEY_NUMBER(CONFIG_BYTES, struct auth_config, argon2_memory, "ARGON2_MEMORY", "19MiB",
			  PASSWORD_MEMORY_MIN, PASSWORD_MEMORY_MAX, "memory of one password hash"),
	NUMBER(argon2_iterations, "ARGON2_ITERATIONS", "2", 1, PASSWORD_ITERATIONS_MAX,
	       "passes of one password hash"),
	NUMBER(hash_concurrency, "HASH_CONCURRENCY", "0", 0, 1024,
	       "password hashes at once; 0 = as many as cores"),
	NUMBER(hash_queue, "HASH_QUEUE", "32", 0, 100000,
	       "logins that may wait (2 s at most) for a hash; past it: 503"),
	NUMBER(failures_per_pair, "LOGIN_FAILURES_PER_USER_AND_ADDRESS", "20", 0, 1000000,
	       "failed logins of one user from one address within the window; 0 = no limit"),
	NUMBER(failures_per_address, "LOGIN_FAILURES_PER_ADDRESS", "200", 0, 1000000,
	       "failed logins from one address within the window; 0 = no limit"),
	CONFIG_KEY_NUMBER(CONFIG_DURATION, struct auth_config, failure_window_ms,
			  "LOGIN_FAILURE_WINDOW", "15m", 1000, 86400000,
			  "how long a failed login counts"),
	CONFIG_KEY_TEXT_CHECKED(struct auth_config, trusted_proxies, "TRUSTED_PROXIES",
				PRIVATE_NETWORKS, http_trusted_check,
				"networks whose X-Forwarded-For is believed (the gateway's)"),
	NUMBER(max_connections, "MAX_CONNECTIONS", "1024", 1, 100000,
	       "most HTTP connections; past it: 503"),
	CONFIG_KEY_NUMBER(CONFIG_DURATION, struct auth_config, drain_delay_ms, "DRAIN_DELAY", "5s",
			  0, 3600000,
			  "new connections are still taken for so long after SIGTERM, until load "
			  "balancers have noticed"),
	CONFIG_END,
};
