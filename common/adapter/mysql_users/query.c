#include "adapter/mysql_users/query.h"

#include <string.h>

#include <mysql.h>

#include "adapter/mysql_users/schema.h"
#include "base/clock.h"

#define QUICK_FAILURE_MS 500
#define SCHEME_MAX 16
#define BY_ADDRESS " WHERE address = LOWER(TRIM(?))"
#define SELECT_USER                                                                                \
	"SELECT id, address, password, password_scheme, admin, disabled, tokens_valid_after FROM " \
	"`user`"

_Static_assert(MYSQL_USERS_STATEMENTS <= MYSQL_USERS_STATEMENTS_MAX,
	       "a connection has room for every statement");

static const char *const sql[MYSQL_USERS_STATEMENTS] = {
	[MYSQL_USERS_FIND] = SELECT_USER BY_ADDRESS " ORDER BY id LIMIT 1",
	[MYSQL_USERS_ADD] = "INSERT INTO `user` (email, password, password_scheme, admin, disabled,"
			    " tokens_valid_after) VALUES (?, ?, ?, ?, ?, ?)",
	[MYSQL_USERS_SET_PASSWORD] =
		"UPDATE `user` SET password = ?, password_scheme = ? WHERE id = ?",
	/* Bytes against bytes: the column's collation may find two passwords alike that are not. */
	[MYSQL_USERS_SWAP_PASSWORD] =
		"UPDATE `user` SET password = ?, password_scheme = ? WHERE id = ? AND"
		" CAST(CONVERT(password USING utf8mb4) AS BINARY) = CAST(? AS BINARY)",
	[MYSQL_USERS_SET_DISABLED] = "UPDATE `user` SET disabled = ?" BY_ADDRESS,
	[MYSQL_USERS_REVOKE_TOKENS] = "UPDATE `user` SET tokens_valid_after = ?" BY_ADDRESS,
	[MYSQL_USERS_REMOVE] = "DELETE FROM `user`" BY_ADDRESS,
	[MYSQL_USERS_PAGE_ALL] = SELECT_USER " WHERE id > ? ORDER BY id LIMIT 128",
	[MYSQL_USERS_PAGE_RESTRICTED] = SELECT_USER
	" WHERE id > ? AND (disabled <> 0 OR tokens_valid_after <> 0) ORDER BY id LIMIT 128",
	[MYSQL_USERS_PING] = SELECT_USER " LIMIT 1",
};
_Static_assert(MYSQL_USERS_PAGE == 128, "the pages' LIMIT");

static const char *const scheme_names[] = {
	[PASSWORD_PLAIN] = "plain",
	[PASSWORD_ARGON2ID] = "argon2id",
};

static int
users_query_failed(struct mysql_users_query *q, MYSQL_STMT *stmt, struct err *e)
{
	int code;

	q->failure = mysql_stmt_errno(stmt);
	code = mysql_users_code_of(q->failure);
	return err_set(e, code, "mysql: %s (%u)%s", mysql_stmt_error(stmt), q->failure,
		       mysql_users_schema_is_old(q->failure) ? "; run `auth migrate`" : "");
}

static int
users_query_prepare(struct mysql_users_conn *c, struct mysql_users_query *q, MYSQL_STMT **ret,
		    struct err *e)
{
	MYSQL_STMT *stmt = c->statements[q->which];
	int r = 0;

	if (!stmt) {
		if (!(stmt = mysql_stmt_init(c->db)))
			return err_set(e, ERR_NO_MEMORY, "mysql statement");
		if (mysql_stmt_prepare(stmt, sql[q->which], strlen(sql[q->which])) != 0) {
			r = users_query_failed(q, stmt, e);
			mysql_stmt_close(stmt);
			return r;
		}
		c->statements[q->which] = stmt;
	}
	*ret = stmt;
	return 0;
}

/* The library's struct has no const, but it only reads a parameter. */
static void *
users_query_unconst(const char *text)
{
	union {
		const char *in;
		void *out;
	} u = { .in = text };

	return u.out;
}

static void
users_query_bind_params(MYSQL_BIND *bind, struct mysql_users_param *params)
{
	int i;

	for (i = 0; i < MYSQL_USERS_PARAMS_MAX; i++) {
		struct mysql_users_param *param = &params[i];

		bind[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG,
					.buffer = &param->number };
		if (param->text)
			bind[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
						.buffer = users_query_unconst(param->text),
						.buffer_length = strlen(param->text) };
	}
}

struct mysql_users_row {
	struct user user;
	int64_t admin, disabled;
	char scheme[SCHEME_MAX + 1];
	unsigned long email_len, password_len, scheme_len;
	my_bool no_email;
};

static void
users_query_bind_row(MYSQL_BIND *bind, struct mysql_users_row *row)
{
	struct user *u = &row->user;

	memset(row, 0, sizeof *row);
	memset(bind, 0, 7 * sizeof *bind);
	bind[0] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &u->id };
	bind[1] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
				.buffer = u->email,
				.buffer_length = sizeof u->email - 1,
				.length = &row->email_len,
				.is_null = &row->no_email };
	bind[2] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
				.buffer = u->password,
				.buffer_length = sizeof u->password - 1,
				.length = &row->password_len };
	bind[3] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
				.buffer = row->scheme,
				.buffer_length = sizeof row->scheme - 1,
				.length = &row->scheme_len };
	bind[4] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &row->admin };
	bind[5] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &row->disabled };
	bind[6] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG,
				.buffer = &u->tokens_valid_after_s };
}

/* Appends the row unless its texts do not fit or its scheme is unknown: no login can match
 * those. */
static void
users_query_keep_row(struct mysql_users_rows *rows, struct mysql_users_row *row)
{
	struct user *u = &row->user;
	size_t scheme;

	rows->last_id = u->id;
	if (row->no_email || row->email_len >= sizeof u->email ||
	    row->password_len >= sizeof u->password || row->scheme_len >= sizeof row->scheme)
		return;
	u->email[row->email_len] = '\0';
	u->password[row->password_len] = '\0';
	row->scheme[row->scheme_len] = '\0';
	u->admin = row->admin != 0;
	u->disabled = row->disabled != 0;
	for (scheme = 0; scheme < ARRAY_LEN(scheme_names); scheme++)
		if (strcmp(row->scheme, scheme_names[scheme]) == 0)
			break;
	if (scheme == ARRAY_LEN(scheme_names))
		return;
	u->scheme = (enum password_scheme)scheme;
	rows->users[rows->count++] = *u;
}

static int
users_query_fetch(struct mysql_users_query *q, MYSQL_STMT *stmt, struct err *e)
{
	struct mysql_users_rows *rows = q->rows;
	MYSQL_BIND bind[7];
	struct mysql_users_row row;
	size_t seen;

	users_query_bind_row(bind, &row);
	rows->count = 0;
	if (mysql_stmt_bind_result(stmt, bind) != 0 || mysql_stmt_store_result(stmt) != 0)
		return users_query_failed(q, stmt, e);
	for (seen = 0; seen < rows->max; seen++) {
		int r = mysql_stmt_fetch(stmt);

		if (r == MYSQL_NO_DATA)
			break;
		if (r != 0 && r != MYSQL_DATA_TRUNCATED)
			return users_query_failed(q, stmt, e);
		users_query_keep_row(rows, &row);
	}
	rows->more = seen == rows->max;
	return 0;
}

static int
users_query_execute(struct mysql_users_conn *c, struct mysql_users_query *q, struct err *e)
{
	MYSQL_BIND bind[MYSQL_USERS_PARAMS_MAX];
	MYSQL_STMT *stmt = NULL;
	int r;

	q->failure = 0;
	if ((r = users_query_prepare(c, q, &stmt, e)) < 0)
		return r;
	users_query_bind_params(bind, q->params);
	if (mysql_stmt_bind_param(stmt, bind) != 0 || mysql_stmt_execute(stmt) != 0)
		return users_query_failed(q, stmt, e);
	if (!q->rows) {
		q->affected = mysql_stmt_affected_rows(stmt);
		return 0;
	}
	r = users_query_fetch(q, stmt, e);
	mysql_stmt_free_result(stmt);
	return r;
}

const char *
mysql_users_scheme_name(enum password_scheme scheme)
{
	return scheme_names[scheme];
}

/* Once more on a fresh connection when an old one turns out dead at once, as after a restart of the
 * server; never after a timeout, so that a frozen server costs one deadline. */
int
mysql_users_query_run(struct mysql_users_pool *pool, struct mysql_users_query *q, struct err *e)
{
	int64_t started = now_monotonic_ms();
	int tries;

	for (tries = 0;; tries++) {
		struct mysql_users_conn *c = NULL;
		bool fresh;
		int r;

		if ((r = mysql_users_pool_acquire(pool, &c, e)) < 0)
			return r;
		fresh = c->fresh;
		r = users_query_execute(c, q, e);
		mysql_users_pool_release(pool, c,
					 mysql_users_is_lost(q->failure) ? MYSQL_USERS_BROKEN
									 : MYSQL_USERS_HEALTHY);
		if (r == 0 || !mysql_users_is_lost(q->failure) || fresh || tries > 0 ||
		    now_monotonic_ms() - started > QUICK_FAILURE_MS)
			return r;
	}
}
