#include "adapter/mysql_users/mysql_users.h"

#include "adapter/mysql_users/query.h"
#include "adapter/mysql_users/schema.h"

#define PAGE MYSQL_PAGE

struct user_mysql {
	struct user_store port;
	struct mysql_pool *pool;
};

static struct user_mysql *
self_of(struct user_store *s)
{
	return CONTAINER_OF(s, struct user_mysql, port);
}

static int
run(struct user_mysql *self, struct query *q, struct err *e)
{
	return mysql_query_run(self->pool, q, e);
}

static int
run_on_one(struct user_mysql *self, struct query *q, int none, struct err *e)
{
	int r = run(self, q, e);

	if (r == 0 && q->affected == 0)
		return err_set(e, none,
			       none == ERR_CONFLICT ? "the password was changed meanwhile"
						    : "no such user");
	return r;
}

static int
mysql_user_find(struct user_store *s, const char *email, struct user *ret, struct err *e)
{
	struct user user;
	struct rows rows = { .users = &user, .max = 1 };
	struct query q = { .which = FIND, .params = { { .text = email } }, .rows = &rows };
	int r = run(self_of(s), &q, e);

	if (r < 0)
		return r;
	if (rows.count == 0)
		return err_set(e, ERR_NOT_FOUND, "no such user");
	*ret = user;
	return 0;
}

static int
mysql_user_add(struct user_store *s, const struct user *user, struct err *e)
{
	struct query q = { .which = ADD,
			   .params = { { .text = user->email },
				       { .text = user->password },
				       { .text = mysql_scheme_name(user->scheme) },
				       { .number = user->admin },
				       { .number = user->disabled },
				       { .number = user->tokens_valid_after_s } } };
	struct user other;
	int r = mysql_user_find(s, user->email, &other, e);

	if (r == 0)
		return err_set(e, ERR_CONFLICT, "the address exists");
	return r == ERR_NOT_FOUND ? run(self_of(s), &q, e) : r;
}

static int
mysql_user_set_password(struct user_store *s, int64_t id, const char *encoded,
			enum password_scheme scheme, const char *old_encoded, struct err *e)
{
	struct query q = { .which = old_encoded ? SWAP_PASSWORD : SET_PASSWORD,
			   .params = { { .text = encoded },
				       { .text = mysql_scheme_name(scheme) },
				       { .number = id },
				       { .text = old_encoded } } };

	return run_on_one(self_of(s), &q, old_encoded ? ERR_CONFLICT : ERR_NOT_FOUND, e);
}

static int
mysql_user_set_disabled(struct user_store *s, const char *email, bool disabled, struct err *e)
{
	struct query q = { .which = SET_DISABLED,
			   .params = { { .number = disabled }, { .text = email } } };

	return run_on_one(self_of(s), &q, ERR_NOT_FOUND, e);
}

static int
mysql_user_revoke_tokens(struct user_store *s, const char *email, int64_t before_s, struct err *e)
{
	struct query q = { .which = REVOKE_TOKENS,
			   .params = { { .number = before_s }, { .text = email } } };

	return run_on_one(self_of(s), &q, ERR_NOT_FOUND, e);
}

static int
mysql_user_remove(struct user_store *s, const char *email, struct err *e)
{
	struct query q = { .which = REMOVE, .params = { { .text = email } } };

	return run_on_one(self_of(s), &q, ERR_NOT_FOUND, e);
}

/* Page by page, with no connection held while visit runs: it may use the store. */
static int
walk(struct user_mysql *self, enum statement which, user_visit visit, void *arg, struct err *e)
{
	SCOPED_FREE struct user *users = calloc(PAGE, sizeof *users);
	struct rows rows = { .users = users, .max = PAGE, .more = true };
	size_t i;
	int r;

	if (users == NULL)
		return err_set(e, ERR_NO_MEMORY, "users");
	while (rows.more) {
		struct query q = { .which = which,
				   .params = { { .number = rows.last_id } },
				   .rows = &rows };

		if ((r = run(self, &q, e)) < 0)
			return r;
		for (i = 0; i < rows.count; i++)
			if ((r = visit(&users[i], arg, e)) < 0)
				return r;
	}
	return 0;
}

static int
mysql_user_each(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return walk(self_of(s), PAGE_ALL, visit, arg, e);
}

static int
mysql_user_each_restricted(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return walk(self_of(s), PAGE_RESTRICTED, visit, arg, e);
}

static int
mysql_user_ping(struct user_store *s, struct err *e)
{
	struct user user;
	struct rows rows = { .users = &user, .max = 1 };
	struct query q = { .which = PING, .rows = &rows };

	return run(self_of(s), &q, e);
}

static void
mysql_user_close(struct user_store *s)
{
	struct user_mysql *self = self_of(s);

	mysql_pool_free(self->pool);
	free(self);
}

static const struct user_store_ops mysql_user_ops = {
	.find = mysql_user_find,
	.add = mysql_user_add,
	.set_password = mysql_user_set_password,
	.set_disabled = mysql_user_set_disabled,
	.revoke_tokens = mysql_user_revoke_tokens,
	.remove = mysql_user_remove,
	.each = mysql_user_each,
	.each_restricted = mysql_user_each_restricted,
	.ping = mysql_user_ping,
	.close = mysql_user_close,
};

int
user_mysql_migrate(struct user_store *s, int *ret_applied, struct err *e)
{
	return mysql_schema_migrate(self_of(s)->pool, ret_applied, e);
}

void
user_mysql_usage(struct user_store *s, int *ret_used, int *ret_max)
{
	mysql_pool_usage(self_of(s)->pool, ret_used, ret_max);
}

int
user_mysql_new(const struct user_mysql_config *config, struct user_store **ret, struct err *e)
{
	SCOPED_FREE struct user_mysql *self = calloc(1, sizeof *self);
	int r;

	if (self == NULL)
		return err_set(e, ERR_NO_MEMORY, "user store");
	self->port.ops = &mysql_user_ops;
	if ((r = mysql_pool_new(config, &self->pool, e)) < 0)
		return r;
	*ret = &TAKE(self)->port;
	return 0;
}
