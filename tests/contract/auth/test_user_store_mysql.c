#include "contract/auth/user_store_suite.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mysql.h>

#include "adapter/mysql_users/mysql_users.h"
#include "base/clock.h"
#include "base/secret.h"

#define SKIPPED 77

static struct {
	char database[64];
	struct secret password;
	struct mysql_users_config config;
	MYSQL *root;
} server;

static void __attribute__((format(printf, 1, 2))) query(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (mysql_query(server.root, text) != 0)
		fail_msg("%s: %s", text, mysql_error(server.root));
}

static int
connect_root(void)
{
	const char *host = getenv("TONEARM_TEST_MYSQL_HOST"),
		   *port = getenv("TONEARM_TEST_MYSQL_PORT");
	const char *user = getenv("TONEARM_TEST_MYSQL_USER");
	const char *password = getenv("TONEARM_TEST_MYSQL_PASSWORD");

	if (!host || !port || !user || !password)
		return SKIPPED;
	server.root = mysql_init(NULL);
	server.password.len = strlen(password);
	memcpy(server.password.bytes, password, server.password.len + 1);
	server.config = (struct mysql_users_config){ .host = host,
						     .user = user,
						     .database = server.database,
						     .password = &server.password,
						     .port = (int)strtol(port, NULL, 10),
						     .max_connections = 4,
						     .deadline_ms = 3000 };
	if (!mysql_real_connect(server.root, host, user, password, NULL,
				(unsigned int)server.config.port, NULL, 0)) {
		(void)fprintf(stderr, "%s\n", mysql_error(server.root));
		return 1;
	}
	return 0;
}

/* A table as MsgQ's SQL makes it, with the server's default collation and a row in clear. */
static void
make_database(void)
{
	char digits[13];

	random_hex(digits, 12);
	(void)snprintf(server.database, sizeof server.database, "tonearm_test_%s", digits);
	query("CREATE DATABASE %s", server.database);
	query("USE %s", server.database);
	query("SET NAMES %s", "utf8mb4");
	query("CREATE TABLE user (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,"
	      " email VARCHAR(255) NOT NULL UNIQUE, password VARCHAR(255) NOT NULL)");
	query("INSERT INTO user (email, password) VALUES ('Old@MsgQ.org', '%s')", "Clear1");
}

static int
setup(void **state)
{
	int applied = 0;
	struct err e = ERR_NONE;

	(void)state;
	make_database();
	if (mysql_users_new(&server.config, &store_under_test, &e) < 0 ||
	    mysql_users_migrate(store_under_test, &applied, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	return applied == 3 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	user_store_close(store_under_test);
	query("DROP DATABASE %s", server.database);
	return 0;
}

static void
a_second_migration_changes_nothing(void **state)
{
	int applied = 7;

	(void)state;
	assert_int_equal(mysql_users_migrate(store_under_test, &applied, NULL), 0);
	assert_int_equal(applied, 0);
}

static void
a_migration_that_was_cut_off_before_its_record_goes_through(void **state)
{
	int applied = 0;

	(void)state;
	query("DELETE FROM schema_migration WHERE version >= %s", "2");
	assert_int_equal(mysql_users_migrate(store_under_test, &applied, NULL), 0);
	assert_int_equal(applied, 2);
}

static void
a_row_made_for_msgq_is_a_plain_enabled_admin(void **state)
{
	struct user user;

	(void)state;
	assert_int_equal(user_find(store_under_test, "old@msgq.org", &user, NULL), 0);
	assert_string_equal(user.password, "Clear1");
	assert_int_equal(user.scheme, PASSWORD_PLAIN);
	assert_true(user.admin);
	assert_false(user.disabled);
	assert_int_equal(user.tokens_valid_after_s, 0);
}

static void
an_operators_insert_of_address_and_password_works(void **state)
{
	struct user user;

	(void)state;
	query("INSERT INTO user (email, password) VALUES (' New@MsgQ.org', '%s')", "p\xc3\xa4ss");
	assert_int_equal(user_find(store_under_test, "new@msgq.org", &user, NULL), 0);
	assert_string_equal(user.password, "p\xc3\xa4ss");
	assert_int_equal(user.scheme, PASSWORD_PLAIN);
	assert_true(user.admin);
}

static void
rows_with_an_unknown_scheme_do_not_exist(void **state)
{
	struct user user;

	(void)state;
	query("INSERT INTO user (email, password, password_scheme) VALUES ('odd@x.org', '%s', "
	      "'md5')",
	      "x");
	assert_int_equal(user_find(store_under_test, "odd@x.org", &user, NULL), ERR_NOT_FOUND);
}

static void
a_killed_connection_is_not_noticed(void **state)
{
	struct user user;
	MYSQL_RES *result;
	MYSQL_ROW row;

	(void)state;
	assert_int_equal(user_store_ping(store_under_test, NULL), 0);
	query("SELECT id FROM information_schema.processlist WHERE db = '%s' AND id <> "
	      "CONNECTION_ID()",
	      server.database);
	result = mysql_store_result(server.root);
	assert_non_null(result);
	assert_true(mysql_num_rows(result) > 0);
	while ((row = mysql_fetch_row(result)) != NULL)
		query("KILL %s", row[0]);
	mysql_free_result(result);
	assert_int_equal(user_find(store_under_test, "old@msgq.org", &user, NULL), 0);
}

static void *
find_often(void *arg)
{
	int *failures = arg, i;
	struct user user;

	for (i = 0; i < 50; i++)
		*failures += user_find(store_under_test, "old@msgq.org", &user, NULL) != 0;
	return NULL;
}

static void
more_threads_than_connections_all_get_their_turn(void **state)
{
	pthread_t threads[12];
	int failures[12] = { 0 }, i, used, max;

	(void)state;
	for (i = 0; i < 12; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_often, &failures[i]), 0);
	for (i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 12; i++)
		assert_int_equal(failures[i], 0);
	mysql_users_usage(store_under_test, &used, &max);
	assert_int_equal(used, 0);
	assert_int_equal(max, 4);
}

static void
a_server_that_is_not_there_is_unavailable_at_once(void **state)
{
	struct mysql_users_config config = server.config;
	SCOPED(user_store_close_p) struct user_store *store = NULL;
	int64_t started = now_monotonic_ms();
	struct err e = ERR_NONE;
	struct user user;

	(void)state;
	config.host = "127.0.0.1";
	config.port = 1;
	assert_int_equal(mysql_users_new(&config, &store, NULL), 0);
	assert_int_equal(user_find(store, "a@b.c", &user, &e), ERR_UNAVAILABLE);
	assert_true(now_monotonic_ms() - started < 3000);
	assert_null(strstr(e.text, server.password.bytes));
}

/* What a stopped process looks like: the kernel connects, nobody answers. */
static void
a_server_that_never_answers_costs_less_than_the_deadline(void **state)
{
	struct mysql_users_config config = server.config;
	SCOPED(user_store_close_p) struct user_store *store = NULL;
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int64_t started = now_monotonic_ms();
	struct user user;

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	config.host = "127.0.0.1";
	config.port = ntohs(at.sin_port);
	assert_int_equal(mysql_users_new(&config, &store, NULL), 0);
	assert_int_equal(user_find(store, "a@b.c", &user, NULL), ERR_UNAVAILABLE);
	assert_true(now_monotonic_ms() - started < 3000);
	close(fd);
}

static void
a_fresh_database_is_named_as_not_migrated(void **state)
{
	struct mysql_users_config config = server.config;
	SCOPED(user_store_close_p) struct user_store *store = NULL;
	struct err e = ERR_NONE;
	char fresh[80];
	int applied = 0;

	(void)state;
	(void)snprintf(fresh, sizeof fresh, "%s_fresh", server.database);
	query("CREATE DATABASE %s", fresh);
	config.database = fresh;
	assert_int_equal(mysql_users_new(&config, &store, NULL), 0);
	assert_int_equal(user_store_ping(store, &e), ERR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "auth migrate"));
	assert_int_equal(mysql_users_migrate(store, &applied, &e), 0);
	assert_int_equal(applied, 3);
	assert_int_equal(user_store_ping(store, &e), 0);
	query("DROP DATABASE %s", fresh);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_made_for_msgq_is_a_plain_enabled_admin),
		cmocka_unit_test(an_operators_insert_of_address_and_password_works),
		cmocka_unit_test(rows_with_an_unknown_scheme_do_not_exist),
		cmocka_unit_test(a_second_migration_changes_nothing),
		cmocka_unit_test(a_migration_that_was_cut_off_before_its_record_goes_through),
		USER_STORE_SUITE,
		cmocka_unit_test(a_killed_connection_is_not_noticed),
		cmocka_unit_test(more_threads_than_connections_all_get_their_turn),
		cmocka_unit_test(a_server_that_is_not_there_is_unavailable_at_once),
		cmocka_unit_test(a_server_that_never_answers_costs_less_than_the_deadline),
		cmocka_unit_test(a_fresh_database_is_named_as_not_migrated),
	};
	int r = connect_root();

	if (r == SKIPPED)
		(void)puts(
			"skipped: TONEARM_TEST_MYSQL_HOST, _PORT, _USER and _PASSWORD are not set");
	if (r == 0)
		r = cmocka_run_group_tests(tests, setup, teardown);
	mysql_close(server.root);
	return r;
}
