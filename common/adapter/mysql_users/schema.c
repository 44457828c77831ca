#include "adapter/mysql_users/schema.h"

#include <stdio.h>
#include <string.h>

#include <mysql.h>
#include <mysqld_error.h>

#define LOCK_WAIT_S 60
#define STATEMENT_MAX 4096

SCOPE_DEFINE(MYSQL, mysql_close)
SCOPE_DEFINE(MYSQL_RES, mysql_free_result)

bool
mysql_users_schema_is_old(unsigned int number)
{
	return number == ER_BAD_FIELD_ERROR || number == ER_NO_SUCH_TABLE;
}

/* A server that stopped between a users_schema_change and its record: the users_schema_change is there already. */
static bool
users_schema_is_done_already(unsigned int number)
{
	return number == ER_DUP_FIELDNAME || number == ER_DUP_KEYNAME ||
	       number == ER_TABLE_EXISTS_ERROR;
}

static int
users_schema_change(MYSQL *db, const char *statement, size_t len, struct err *e)
{
	unsigned int number;

	if (mysql_real_query(db, statement, len) == 0)
		return 0;
	number = mysql_errno(db);
	if (users_schema_is_done_already(number))
		return 0;
	return err_set(e, mysql_users_code_of(number), "mysql: %s (%u)", mysql_error(db), number);
}

/* The first column of the first row as a number. */
static int
users_schema_ask_number(MYSQL *db, const char *statement, long *ret, struct err *e)
{
	SCOPED(mysql_free_result_p) MYSQL_RES *result = NULL;
	MYSQL_ROW row;
	int r;

	if ((r = users_schema_change(db, statement, strlen(statement), e)) < 0)
		return r;
	result = mysql_store_result(db);
	row = result ? mysql_fetch_row(result) : NULL;
	if (!row)
		return err_set(e, ERR_INTERNAL, "mysql: no answer to %s", statement);
	*ret = row[0] ? strtol(row[0], NULL, 10) : 0;
	return 0;
}

/* Statements end with a semicolon at a line's end; lines that begin with -- are remarks. */
static int
users_schema_apply_text(MYSQL *db, const char *text, struct err *e)
{
	char statement[STATEMENT_MAX];
	size_t len = 0;
	int r;

	while (*text != '\0') {
		size_t line = strcspn(text, "\n") + (strchr(text, '\n') != NULL);
		bool remark = strncmp(text, "--", 2) == 0;

		if (len + line >= sizeof statement)
			return err_set(e, ERR_INTERNAL, "a statement is too long");
		if (!remark)
			memcpy(statement + len, text, line);
		len += remark ? 0 : line;
		text += line;
		if (len < 2 || statement[len - 1] != '\n' || statement[len - 2] != ';')
			continue;
		if ((r = users_schema_change(db, statement, len - 2, e)) < 0)
			return r;
		len = 0;
	}
	return 0;
}

static int
users_schema_apply(MYSQL *db, const struct mysql_users_migration *m, int *applied, struct err *e)
{
	char text[160];
	long known = 0;
	int r;

	(void)snprintf(text, sizeof text,
		       "SELECT COUNT(*) FROM schema_migration WHERE version = %d", m->version);
	if ((r = users_schema_ask_number(db, text, &known, e)) < 0 || known > 0)
		return r;
	(void)snprintf(text, sizeof text, "INSERT INTO schema_migration (version) VALUES (%d)",
		       m->version);
	if ((r = users_schema_apply_text(db, m->text, e)) < 0 ||
	    (r = users_schema_change(db, text, strlen(text), e)) < 0)
		return err_prefix(e, r, "migration %s", m->name);
	++*applied;
	return 0;
}

int
mysql_users_schema_migrate(struct mysql_users_pool *p, int *ret_applied, struct err *e)
{
	static const char table[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
				    "version INT NOT NULL PRIMARY KEY,"
				    "applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
	SCOPED(mysql_close_p) MYSQL *db = NULL; /* closing it frees the lock */
	const struct mysql_users_migration *m;
	int r, applied = 0;
	long locked = 0;
	char text[96];

	if ((r = mysql_users_open_slow(p, &db, e)) < 0)
		return r;
	(void)snprintf(text, sizeof text, "SELECT GET_LOCK(CONCAT('tonearm:', DATABASE()), %d)",
		       LOCK_WAIT_S);
	if ((r = users_schema_ask_number(db, text, &locked, e)) < 0)
		return r;
	if (locked != 1)
		return err_set(e, ERR_TIMEOUT, "another migration runs; try again");
	if ((r = users_schema_change(db, table, sizeof table - 1, e)) < 0)
		return r;
	for (m = mysql_users_migrations; m->name; m++)
		if ((r = users_schema_apply(db, m, &applied, e)) < 0)
			return r;
	*ret_applied = applied;
	return 0;
}
