/* The bounded pool of connections under mysql_users; part of that adapter, of no use elsewhere.
 * Threads: the pool may be shared; a connection belongs to the one who acquired it. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_POOL_H
#define TONEARM_ADAPTER_MYSQL_USERS_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "adapter/mysql_users/mysql_users.h"

struct st_mysql;
struct st_mysql_stmt;

#define MYSQL_USERS_STATEMENTS_MAX 12

struct mysql_users_conn {
	struct st_mysql *db;
	struct st_mysql_stmt *statements[MYSQL_USERS_STATEMENTS_MAX]; /* prepared when first used */
	bool fresh;      /* opened for this acquisition */
	long generation; /* of the pool when it was opened */
	struct mysql_users_conn *next;
};

enum mysql_users_health { MYSQL_USERS_HEALTHY, MYSQL_USERS_BROKEN };

struct mysql_users_pool;
int mysql_users_pool_new(const struct mysql_users_config *config, struct mysql_users_pool **ret,
			 struct err *e);
void mysql_users_pool_free(struct mysql_users_pool *p);
SCOPE_DEFINE(struct mysql_users_pool, mysql_users_pool_free)

/* Waits for a place, then connects if need be: both together at most the deadline. */
int mysql_users_pool_acquire(struct mysql_users_pool *p, struct mysql_users_conn **ret,
			     struct err *e);
/* BROKEN closes it, and makes every other idle connection reconnect before its next use. */
void mysql_users_pool_release(struct mysql_users_pool *p, struct mysql_users_conn *c,
			      enum mysql_users_health health);
void mysql_users_pool_usage(struct mysql_users_pool *p, int *ret_used, int *ret_max);
/* A connection outside the pool whose statements may take long (changes of the schema). The caller
 * closes. */
int mysql_users_open_slow(struct mysql_users_pool *p, struct st_mysql **ret, struct err *e);

/* Our code for an error number of the server or the client library. */
int mysql_users_code_of(unsigned int number);
/* Whether the connection is of no further use after this error. */
bool mysql_users_is_lost(unsigned int number);

#endif
