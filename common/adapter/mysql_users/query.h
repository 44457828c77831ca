/* The statements of mysql_users and how one runs; part of that adapter, of no use elsewhere. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_QUERY_H
#define TONEARM_ADAPTER_MYSQL_USERS_QUERY_H

#include "adapter/mysql_users/pool.h"

#define MYSQL_USERS_PAGE 128 /* rows of one page */
#define MYSQL_USERS_PARAMS_MAX 6

enum mysql_users_statement {
	MYSQL_USERS_FIND,
	MYSQL_USERS_ADD,
	MYSQL_USERS_SET_PASSWORD,
	MYSQL_USERS_SWAP_PASSWORD,
	MYSQL_USERS_SET_DISABLED,
	MYSQL_USERS_REVOKE_TOKENS,
	MYSQL_USERS_REMOVE,
	MYSQL_USERS_PAGE_ALL,
	MYSQL_USERS_PAGE_RESTRICTED,
	MYSQL_USERS_PING,
	MYSQL_USERS_STATEMENTS,
};
struct mysql_users_param {
	const char *text; /* NULL = the number */
	int64_t number;
};

struct mysql_users_rows {
	struct user *users;
	size_t max, count;
	int64_t last_id; /* of the last row read, also when it was left out */
	bool more;
};

struct mysql_users_query {
	enum mysql_users_statement which;
	struct mysql_users_param params[MYSQL_USERS_PARAMS_MAX];
	struct mysql_users_rows *rows; /* NULL = no result wanted */
	uint64_t affected;             /* rows matched */
	unsigned int failure;          /* the library's number, 0 = none */
};

const char *mysql_users_scheme_name(enum password_scheme scheme);
/* Runs it on a connection of the pool, within the deadline. */
int mysql_users_query_run(struct mysql_users_pool *pool, struct mysql_users_query *q,
			  struct err *e);

#endif
