/* The statements of user_mysql and how one runs; part of that adapter, of no use elsewhere. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_QUERY_H
#define TONEARM_ADAPTER_MYSQL_USERS_QUERY_H

#include "adapter/mysql_users/pool.h"

#define MYSQL_PAGE 128 /* rows of one page */
#define MYSQL_PARAMS_MAX 6

enum statement {
	FIND,
	ADD,
	SET_PASSWORD,
	SWAP_PASSWORD,
	SET_DISABLED,
	REVOKE_TOKENS,
	REMOVE,
	PAGE_ALL,
	PAGE_RESTRICTED,
	PING,
	STATEMENTS,
};
struct param {
	const char *text; /* NULL = the number */
	int64_t number;
};

struct rows {
	struct user *users;
	size_t max, count;
	int64_t last_id; /* of the last row read, also when it was left out */
	bool more;
};

struct query {
	enum statement which;
	struct param params[MYSQL_PARAMS_MAX];
	struct rows *rows;    /* NULL = no result wanted */
	uint64_t affected;    /* rows matched */
	unsigned int failure; /* the library's number, 0 = none */
};

const char *mysql_scheme_name(enum password_scheme scheme);
/* Runs it on a connection of the pool, within the deadline. */
int mysql_query_run(struct mysql_pool *pool, struct query *q, struct err *e);

#endif
