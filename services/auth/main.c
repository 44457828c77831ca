#include "adapter/mysql_users/mysql_users.h"
#include "adapter/password_sodium.h"
#include "adapter/token_jwt.h"
#include "auth/auth_http.h"
#include "auth/command.h"
#include "auth/config.h"
#include "auth/watch.h"
#include "base/machine/cpus.h"
#include "base/log/log.h"

#define MYSQL_DEADLINE_MS 3000
#define SECRET_LEN_ADVISED 32
#define HASH_WAIT_MS 2000
#define REFRESH_MS 30000
#define RETRY_MS 2000

int
auth_users_new(const struct auth_config *config, struct user_store **ret, struct err *e)
{
	return mysql_users_new(
		&(struct mysql_users_config){
			.host = config->mysql_host,
			.user = config->mysql_user,
			.database = config->mysql_db,
			.password = &config->mysql_password,
			.port = (int)config->mysql_port,
			.max_connections = (int)config->mysql_connections,
			.deadline_ms = MYSQL_DEADLINE_MS,
		},
		ret, e);
}

int
auth_passwords_new(const struct auth_config *config, struct password_hasher **ret, struct err *e)
{
	return password_sodium_new(
		&(struct password_sodium_config){
			.memory_bytes = config->argon2_memory,
			.iterations = config->argon2_iterations,
		},
		ret, e);
}

int
auth_users_migrate(struct user_store *users, int *ret_applied, struct err *e)
{
	return mysql_users_migrate(users, ret_applied, e);
}

struct auth {
	struct auth_service service;
	struct user_store *users;
	struct metric *logins, *hashes_running, *hashes_waiting, *connections, *connections_max;
};

static void
auth_count_login(void *arg, const char *label)
{
	struct auth *a = arg;

	metric_add(a->logins, 1, (const char *const[]){ label });
}

static void
auth_refresh_gauges(void *arg)
{
	struct auth *a = arg;
	int64_t running, waiting;
	int used, max;

	hash_gate_usage(a->service.login.gate, &running, &waiting);
	mysql_users_usage(a->users, &used, &max);
	metric_set(a->hashes_running, (double)running, NULL);
	metric_set(a->hashes_waiting, (double)waiting, NULL);
	metric_set(a->connections, used, NULL);
	metric_set(a->connections_max, max, NULL);
}

static void
auth_make_metrics(struct auth *a, struct metrics *m)
{
	static const char *const by_result[] = { "result", NULL };

	a->logins = metrics_counter(m, "tonearm_logins_total", "Logins by result.", by_result);
	a->hashes_running = metrics_gauge(m, "tonearm_password_hashes_running",
					  "Password hashes under way.", NULL);
	a->hashes_waiting = metrics_gauge(m, "tonearm_password_hashes_waiting",
					  "Logins that wait for a password hash.", NULL);
	a->connections = metrics_gauge(m, "tonearm_mysql_connections_used",
				       "Connections to MySQL in use.", NULL);
	a->connections_max = metrics_gauge(m, "tonearm_mysql_connections_max",
					   "Most connections to MySQL.", NULL);
	metrics_on_scrape(m, auth_refresh_gauges, a);
}

static int64_t
auth_hashes_at_once(const struct auth_config *config)
{
	return config->hash_concurrency > 0 ? config->hash_concurrency : cpu_count();
}

static int
auth_make_limits(const struct auth_config *config, struct hash_gate **ret_gate,
		 struct login_limiter **ret_limiter, struct err *e)
{
	int r = hash_gate_new(auth_hashes_at_once(config), config->hash_queue, HASH_WAIT_MS,
			      ret_gate, e);

	if (r < 0)
		return r;
	return login_limiter_new(
		&(struct login_limiter_config){
			.per_pair = config->failures_per_pair,
			.per_address = config->failures_per_address,
			.window_ms = config->failure_window_ms,
			.clock = clock_system(),
		},
		ret_limiter, e);
}

static int
auth_serve(struct daemon *d, const struct auth_config *config, struct auth *a, struct err *e)
{
	SCOPED(http_server_close_p) struct http_server *server = NULL;
	struct http_server_config http = http_server_defaults();
	int r;

	http.address = config->daemon.listen_address;
	http.port = (int)config->listen_port;
	http.routes = auth_routes;
	http.route_count = auth_route_count;
	http.service = &a->service;
	http.max_connections = (int)config->max_connections;
	http.trusted_proxies = config->trusted_proxies;
	http.observer = daemon_observe_http;
	http.observer_arg = d;
	if ((r = http_server_start(&http, &server, e)) < 0 || (r = daemon_watch(d, e)) < 0)
		return r;
	r = daemon_wait_stop(d, e);
	http_server_drain(server, config->drain_delay_ms, config->daemon.drain_timeout_ms);
	return r;
}

static int
auth_run(struct daemon *d, const void *arg, struct err *e)
{
	const struct auth_config *config = arg;
	SCOPED(user_store_close_p) struct user_store *users = NULL;
	SCOPED(token_service_close_p) struct token_service *tokens = NULL;
	SCOPED(password_hasher_close_p) struct password_hasher *passwords = NULL;
	SCOPED(hash_gate_free_p) struct hash_gate *gate = NULL;
	SCOPED(login_limiter_free_p) struct login_limiter *limiter = NULL;
	SCOPED(restrictions_free_p) struct restrictions *restrictions = NULL;
	SCOPED(watch_stop_p) struct watch *watch = NULL;
	const struct clock *clock = clock_system();
	struct auth a = { 0 };
	int r;

	if (config->jwt_secret.len < SECRET_LEN_ADVISED)
		log_warn(LOG_EVENT("short_jwt_secret"), LOG_INT("bytes", config->jwt_secret.len),
			 LOG_STR("advice", "use 32 random bytes or more"));
	if ((r = auth_users_new(config, &users, e)) < 0 ||
	    (r = token_jwt_new(&config->jwt_secret, &config->jwt_accept, clock, &tokens, e)) < 0 ||
	    (r = auth_passwords_new(config, &passwords, e)) < 0 ||
	    (r = auth_make_limits(config, &gate, &limiter, e)) < 0 ||
	    (r = restrictions_new(clock, &restrictions, e)) < 0 ||
	    (r = watch_start(
		     &(struct watch_config){ users, restrictions,
					     config->mysql_migrate ? auth_users_migrate : NULL,
					     REFRESH_MS, RETRY_MS },
		     &watch, e)) < 0)
		return r;
	a = (struct auth){
		.service = { { users, tokens, passwords, gate, limiter, clock },
			     restrictions,
			     auth_count_login,
			     &a },
		.users = users,
	};
	auth_make_metrics(&a, daemon_metrics(d));
	daemon_dependency(d, "mysql", watch_ping, watch);
	return auth_serve(d, config, &a, e);
}

static int
auth_check(const void *arg, struct err *e)
{
	const struct auth_config *config = arg;
	SCOPED(token_service_close_p) struct token_service *tokens = NULL;

	return token_jwt_new(&config->jwt_secret, &config->jwt_accept, clock_system(), &tokens, e);
}

int
main(int argc, char **argv)
{
	static const struct command *const commands[] = { &command_migrate, &command_user, NULL };
	static const struct daemon_spec spec = {
		.name = "auth",
		.summary = "checks passwords, gives and checks tokens",
		.keys = auth_keys,
		.config_size = sizeof(struct auth_config),
		.run = auth_run,
		.check = auth_check,
		.commands = commands,
	};

	return daemon_main(argc, argv, &spec);
}
