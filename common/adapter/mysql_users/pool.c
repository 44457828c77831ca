#include "adapter/mysql_users/pool.h"

#include <pthread.h>

#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>

#include "base/clock.h"
#include "base/gate.h"

#define SLOW_TIMEOUT_S 600
#define CLIENT_TIMED_OUT_BY_MYSQL8 4031 /* ER_CLIENT_INTERACTION_TIMEOUT */
#define CONNECTION_KILLED_BY_MARIADB 1927
#define STATEMENT_TIME_EXCEEDED 1969

struct mysql_users_pool {
	/* set once */
	struct mysql_users_config config;
	unsigned int io_timeout_s;
	int64_t wait_ms;
	struct gate places;
	/* under lock */
	pthread_mutex_t lock;
	struct mysql_users_conn *idle; /* at most max_connections */
	long generation;
};

static pthread_once_t users_pool_library_once = PTHREAD_ONCE_INIT;

static void
users_pool_start_library(void)
{
	mysql_library_init(0, NULL, NULL);
}

static const struct {
	unsigned int number;
	int code;
} codes[] = {
	{ ER_DUP_ENTRY, ERR_CONFLICT },
	{ ER_DATA_TOO_LONG, ERR_INVALID },
	{ ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ERR_INVALID },
	{ ER_CANT_AGGREGATE_2COLLATIONS, ERR_INVALID },
	{ CR_OUT_OF_MEMORY, ERR_NO_MEMORY },
	{ ER_BAD_FIELD_ERROR, ERR_UNAVAILABLE },
	{ ER_NO_SUCH_TABLE, ERR_UNAVAILABLE },
	{ ER_BAD_DB_ERROR, ERR_UNAVAILABLE },
	{ ER_ACCESS_DENIED_ERROR, ERR_UNAVAILABLE },
	{ ER_DBACCESS_DENIED_ERROR, ERR_UNAVAILABLE },
	{ ER_TABLEACCESS_DENIED_ERROR, ERR_UNAVAILABLE },
	{ ER_CON_COUNT_ERROR, ERR_UNAVAILABLE },
	{ ER_TOO_MANY_USER_CONNECTIONS, ERR_UNAVAILABLE },
	{ ER_HOST_IS_BLOCKED, ERR_UNAVAILABLE },
	{ ER_HOST_NOT_PRIVILEGED, ERR_UNAVAILABLE },
	{ ER_LOCK_WAIT_TIMEOUT, ERR_UNAVAILABLE },
	{ ER_LOCK_DEADLOCK, ERR_UNAVAILABLE },
	{ ER_QUERY_INTERRUPTED, ERR_UNAVAILABLE },
	{ STATEMENT_TIME_EXCEEDED, ERR_UNAVAILABLE },
	{ ER_OPTION_PREVENTS_STATEMENT, ERR_UNAVAILABLE },
	{ CR_CONN_HOST_ERROR, ERR_UNAVAILABLE },
	{ CR_CONNECTION_ERROR, ERR_UNAVAILABLE },
	{ CR_UNKNOWN_HOST, ERR_UNAVAILABLE },
	{ CR_SERVER_HANDSHAKE_ERR, ERR_UNAVAILABLE },
};

static const unsigned int lost[] = {
	CR_SERVER_GONE_ERROR,
	CR_SERVER_LOST,
	CR_SERVER_LOST_EXTENDED,
	CR_COMMANDS_OUT_OF_SYNC,
	CR_MALFORMED_PACKET,
	ER_SERVER_SHUTDOWN,
	CONNECTION_KILLED_BY_MARIADB,
	CLIENT_TIMED_OUT_BY_MYSQL8,
	CR_UNKNOWN_ERROR,
};

bool
mysql_users_is_lost(unsigned int number)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(lost); i++)
		if (lost[i] == number)
			return true;
	return false;
}

int
mysql_users_code_of(unsigned int number)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].number == number)
			return codes[i].code;
	return mysql_users_is_lost(number) ? ERR_UNAVAILABLE : ERR_INTERNAL;
}

static int
users_pool_connect(const struct mysql_users_pool *p, unsigned int io_timeout_s, MYSQL **ret,
		   struct err *e)
{
	static const char init[] =
		"SET SESSION sql_mode='STRICT_ALL_TABLES', innodb_lock_wait_timeout=2";
	const struct mysql_users_config *config = &p->config;
	unsigned int off = 0, number;
	MYSQL *db = mysql_init(NULL);

	if (!db)
		return err_set(e, ERR_NO_MEMORY, "mysql connection");
	mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &p->io_timeout_s);
	mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &io_timeout_s);
	mysql_options(db, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout_s);
	mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db, MYSQL_INIT_COMMAND, init);
	if (mysql_real_connect(db, config->host, config->user, config->password->bytes,
			       config->database, (unsigned int)config->port, NULL,
			       CLIENT_FOUND_ROWS)) {
		*ret = db;
		return 0;
	}
	number = mysql_errno(db);
	/* Nothing that fails while connecting is the fault of a request. */
	err_set(e, ERR_UNAVAILABLE, "mysql at %s:%d: %s (%u)", config->host, config->port,
		mysql_error(db), number);
	mysql_close(db);
	return ERR_UNAVAILABLE;
}

static void
users_pool_disconnect(struct mysql_users_conn *c)
{
	size_t i;

	for (i = 0; i < MYSQL_USERS_STATEMENTS_MAX; i++) {
		if (c->statements[i])
			mysql_stmt_close(c->statements[i]);
		c->statements[i] = NULL;
	}
	if (c->db)
		mysql_close(c->db);
	c->db = NULL;
}

/* Takes a place, and an idle connection if there is one. */
static int
users_pool_take_place(struct mysql_users_pool *p, struct mysql_users_conn **ret,
		      long *ret_generation, struct err *e)
{
	if (gate_enter(&p->places, now_monotonic_ms() + p->wait_ms) != GATE_IN)
		return err_set(e, ERR_UNAVAILABLE, "mysql: all %d connections are busy",
			       p->config.max_connections);
	(void)pthread_mutex_lock(&p->lock);
	*ret_generation = p->generation;
	*ret = p->idle;
	if (p->idle)
		p->idle = p->idle->next;
	(void)pthread_mutex_unlock(&p->lock);
	return 0;
}

static void
users_pool_give_place(struct mysql_users_pool *p, struct mysql_users_conn *c,
		      enum mysql_users_health health)
{
	(void)pthread_mutex_lock(&p->lock);
	p->generation += health == MYSQL_USERS_BROKEN;
	if (c) {
		c->next = p->idle;
		p->idle = c;
	}
	(void)pthread_mutex_unlock(&p->lock);
	gate_leave(&p->places);
}

int
mysql_users_pool_acquire(struct mysql_users_pool *p, struct mysql_users_conn **ret, struct err *e)
{
	struct mysql_users_conn *c = NULL;
	long generation = 0;
	int r;

	if ((r = users_pool_take_place(p, &c, &generation, e)) < 0)
		return r;
	if (!c && !(c = calloc(1, sizeof *c))) {
		users_pool_give_place(p, NULL, MYSQL_USERS_HEALTHY);
		return err_set(e, ERR_NO_MEMORY, "mysql connection");
	}
	if (c->generation != generation)
		users_pool_disconnect(c);
	c->generation = generation;
	c->fresh = !c->db;
	if (c->fresh && (r = users_pool_connect(p, p->io_timeout_s, &c->db, e)) < 0) {
		users_pool_give_place(p, c, MYSQL_USERS_HEALTHY);
		return r;
	}
	*ret = c;
	return 0;
}

void
mysql_users_pool_release(struct mysql_users_pool *p, struct mysql_users_conn *c,
			 enum mysql_users_health health)
{
	if (health == MYSQL_USERS_BROKEN)
		users_pool_disconnect(c);
	users_pool_give_place(p, c, health);
}

void
mysql_users_pool_usage(struct mysql_users_pool *p, int *ret_used, int *ret_max)
{
	int64_t used;

	gate_usage(&p->places, &used, NULL);
	*ret_used = (int)used;
	*ret_max = p->config.max_connections;
}

int
mysql_users_open_slow(struct mysql_users_pool *p, struct st_mysql **ret, struct err *e)
{
	return users_pool_connect(p, SLOW_TIMEOUT_S, ret, e);
}

int
mysql_users_pool_new(const struct mysql_users_config *config, struct mysql_users_pool **ret,
		     struct err *e)
{
	struct mysql_users_pool *p = calloc(1, sizeof *p);

	if (!p)
		return err_set(e, ERR_NO_MEMORY, "mysql pool");
	(void)pthread_once(&users_pool_library_once, users_pool_start_library);
	p->config = *config;
	/* The client library counts in whole seconds: two for the server, what remains for the
	 * pool. */
	p->io_timeout_s =
		config->deadline_ms < 3000 ? 1 : (unsigned int)(config->deadline_ms / 1000 - 1);
	p->wait_ms = config->deadline_ms - p->io_timeout_s * INT64_C(1000);
	if (p->wait_ms < 100)
		p->wait_ms = 100;
	(void)pthread_mutex_init(&p->lock, NULL);
	gate_init(&p->places, config->max_connections, GATE_LINE_OF_THREADS);
	*ret = p;
	return 0;
}

void
mysql_users_pool_free(struct mysql_users_pool *p)
{
	if (!p)
		return;
	while (p->idle) {
		struct mysql_users_conn *c = p->idle;

		p->idle = c->next;
		users_pool_disconnect(c);
		free(c);
	}
	gate_fini(&p->places);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
