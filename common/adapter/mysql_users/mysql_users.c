#include "adapter/mysql_users/mysql_users.h"

#include "adapter/mysql_users/query.h"
#include "adapter/mysql_users/schema.h"

#define PAGE MYSQL_USERS_PAGE

struct mysql_users {
	struct user_store port;
	struct mysql_users_pool *pool;
};

static struct mysql_users *
mysql_users_of(struct user_store *s)
{
	return CONTAINER_OF(s, struct mysql_users, port);
}

static int
mysql_users_run(struct mysql_users *self, struct mysql_users_query *q, struct err *e)
{
	return mysql_users_query_run(self->pool, q, e);
}

static int
mysql_users_run_on_one(struct mysql_users *self, struct mysql_users_query *q, int none,
		       struct err *e)
{
	int r = mysql_users_run(self, q, e);

	if (r == 0 && q->affected == 0)
		return err_set(e, none,
			       none == ERR_CONFLICT ? "the password was changed meanwhile"
						    : "no such user");
	return r;
}

static int
mysql_users_find(struct user_store *s, const char *email, struct user *ret, struct err *e)
{
	struct user user;
	struct mysql_users_rows rows = { .users = &user, .max = 1 };
	struct mysql_users_query q = { .which = MYSQL_USERS_FIND,
				       .params = { { .text = email } },
				       .rows = &rows };
	int r = mysql_users_run(mysql_users_of(s), &q, e);

	if (r < 0)
		return r;
	if (rows.count == 0)
		return err_set(e, ERR_NOT_FOUND, "no such user");
	*ret = user;
	return 0;
}

static int
mysql_users_add(struct user_store *s, const struct user *user, struct err *e)
{
	struct mysql_users_query q = { .which = MYSQL_USERS_ADD,
				       .params = {
					       { .text = user->email },
					       { .text = user->password },
					       { .text = mysql_users_scheme_name(user->scheme) },
					       { .number = user->admin },
					       { .number = user->disabled },
					       { .number = user->tokens_valid_after_s } } };
	struct user other;
	int r = mysql_users_find(s, user->email, &other, e);

	if (r == 0)
		return err_set(e, ERR_CONFLICT, "the address exists");
	return r == ERR_NOT_FOUND ? mysql_users_run(mysql_users_of(s), &q, e) : r;
}

static int
mysql_users_set_password(struct user_store *s, int64_t id, const char *encoded,
			 enum password_scheme scheme, const char *old_encoded, struct err *e)
{
	struct mysql_users_query q = { .which = old_encoded ? MYSQL_USERS_SWAP_PASSWORD
							    : MYSQL_USERS_SET_PASSWORD,
				       .params = { { .text = encoded },
						   { .text = mysql_users_scheme_name(scheme) },
						   { .number = id },
						   { .text = old_encoded } } };

	return mysql_users_run_on_one(mysql_users_of(s), &q,
				      old_encoded ? ERR_CONFLICT : ERR_NOT_FOUND, e);
}

static int
mysql_users_set_disabled(struct user_store *s, const char *email, bool disabled, struct err *e)
{
	struct mysql_users_query q = { .which = MYSQL_USERS_SET_DISABLED,
				       .params = { { .number = disabled }, { .text = email } } };

	return mysql_users_run_on_one(mysql_users_of(s), &q, ERR_NOT_FOUND, e);
}

static int
mysql_users_revoke_tokens(struct user_store *s, const char *email, int64_t before_s, struct err *e)
{
	struct mysql_users_query q = { .which = MYSQL_USERS_REVOKE_TOKENS,
				       .params = { { .number = before_s }, { .text = email } } };

	return mysql_users_run_on_one(mysql_users_of(s), &q, ERR_NOT_FOUND, e);
}

static int
mysql_users_remove(struct user_store *s, const char *email, struct err *e)
{
	struct mysql_users_query q = { .which = MYSQL_USERS_REMOVE,
				       .params = { { .text = email } } };

	return mysql_users_run_on_one(mysql_users_of(s), &q, ERR_NOT_FOUND, e);
}

/* Page by page, with no connection held while visit runs: it may use the store. */
static int
mysql_users_walk(struct mysql_users *self, enum mysql_users_statement which, user_visit visit,
		 void *arg, struct err *e)
{
	SCOPED_FREE struct user *users = calloc(PAGE, sizeof *users);
	struct mysql_users_rows rows = { .users = users, .max = PAGE, .more = true };
	size_t i;
	int r;

	if (!users)
		return err_set(e, ERR_NO_MEMORY, "users");
	while (rows.more) {
		struct mysql_users_query q = { .which = which,
					       .params = { { .number = rows.last_id } },
					       .rows = &rows };

		if ((r = mysql_users_run(self, &q, e)) < 0)
			return r;
		for (i = 0; i < rows.count; i++)
			if ((r = visit(&users[i], arg, e)) < 0)
				return r;
	}
	return 0;
}

static int
mysql_users_each(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return mysql_users_walk(mysql_users_of(s), MYSQL_USERS_PAGE_ALL, visit, arg, e);
}

static int
mysql_users_each_restricted(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return mysql_users_walk(mysql_users_of(s), MYSQL_USERS_PAGE_RESTRICTED, visit, arg, e);
}

static int
mysql_users_ping(struct user_store *s, struct err *e)
{
	struct user user;
	struct mysql_users_rows rows = { .users = &user, .max = 1 };
	struct mysql_users_query q = { .which = MYSQL_USERS_PING, .rows = &rows };

	return mysql_users_run(mysql_users_of(s), &q, e);
}

static void
mysql_users_close(struct user_store *s)
{
	struct mysql_users *self = mysql_users_of(s);

	mysql_users_pool_free(self->pool);
	free(self);
}

static const struct user_store_ops mysql_users_ops = {
	.find = mysql_users_find,
	.add = mysql_users_add,
	.set_password = mysql_users_set_password,
	.set_disabled = mysql_users_set_disabled,
	.revoke_tokens = mysql_users_revoke_tokens,
	.remove = mysql_users_remove,
	.each = mysql_users_each,
	.each_restricted = mysql_users_each_restricted,
	.ping = mysql_users_ping,
	.close = mysql_users_close,
};

int
mysql_users_migrate(struct user_store *s, int *ret_applied, struct err *e)
{
	return mysql_users_schema_migrate(mysql_users_of(s)->pool, ret_applied, e);
}

void
mysql_users_usage(struct user_store *s, int *ret_used, int *ret_max)
{
	mysql_users_pool_usage(mysql_users_of(s)->pool, ret_used, ret_max);
}

int
mysql_users_new(const struct mysql_users_config *config, struct user_store **ret, struct err *e)
{
	SCOPED_FREE struct mysql_users *self = calloc(1, sizeof *self);
	int r;

	if (!self)
		return err_set(e, ERR_NO_MEMORY, "user store");
	self->port.ops = &mysql_users_ops;
	if ((r = mysql_users_pool_new(config, &self->pool, e)) < 0)
		return r;
	*ret = &TAKE(self)->port;
	return 0;
}
