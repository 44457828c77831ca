/* The migrations of sql/, embedded at build time; part of user_mysql, of no use elsewhere. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_SCHEMA_H
#define TONEARM_ADAPTER_MYSQL_USERS_SCHEMA_H

#include "adapter/mysql_users/pool.h"

struct migration {
	int version;
	const char *name, *text;
};
/* Generated from sql/, in order; ends with name NULL. */
extern const struct migration migrations[];

int mysql_schema_migrate(struct mysql_pool *p, int *ret_applied, struct err *e);
/* Whether this error number says that a table or a column is not there yet. */
bool mysql_schema_is_old(unsigned int number);

#endif
