/* The migrations of sql/, embedded at build time; part of mysql_users, of no use elsewhere. */
#ifndef TONEARM_ADAPTER_MYSQL_USERS_SCHEMA_H
#define TONEARM_ADAPTER_MYSQL_USERS_SCHEMA_H

#include "adapter/mysql_users/pool.h"

struct mysql_users_migration {
	int version;
	const char *name, *text;
};
/* Generated from sql/, in order; ends with name NULL. */
extern const struct mysql_users_migration mysql_users_migrations[];

int mysql_users_schema_migrate(struct mysql_users_pool *p, int *ret_applied, struct err *e);
/* Whether this error number says that a table or a column is not there yet. */
bool mysql_users_schema_is_old(unsigned int number);

#endif
