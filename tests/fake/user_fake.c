#include "fake/user_fake.h"

#include <pthread.h>

#include "base/text/str.h"

struct user_fake {
	struct user_store port;
	/* under lock */
	pthread_mutex_t lock;
	struct user users[USER_FAKE_MAX]; /* by id */
	size_t count;
	int64_t last_id;
	int failure, finds;
};

static struct user_fake *
self_of(struct user_store *s)
{
	return CONTAINER_OF(s, struct user_fake, port);
}

/* As the server's LOWER(TRIM()) does for ASCII. */
static void
canonical(const char *email, char ret[USERNAME_MAX + 1])
{
	size_t len, i;

	while (*email == ' ')
		email++;
	len = strlen(email);
	while (len > 0 && email[len - 1] == ' ')
		len--;
	if (len > USERNAME_MAX)
		len = USERNAME_MAX;
	for (i = 0; i < len; i++)
		ret[i] = (char)(email[i] >= 'A' && email[i] <= 'Z' ? email[i] - 'A' + 'a'
								   : email[i]);
	ret[len] = '\0';
}

static struct user *
by_email(struct user_fake *f, const char *email)
{
	char wanted[USERNAME_MAX + 1], has[USERNAME_MAX + 1];
	size_t i;

	canonical(email, wanted);
	for (i = 0; i < f->count; i++) {
		canonical(f->users[i].email, has);
		if (strcmp(wanted, has) == 0)
			return &f->users[i];
	}
	return NULL;
}

static int
enter(struct user_fake *f, struct err *e)
{
	pthread_mutex_lock(&f->lock);
	return f->failure ? err_set(e, f->failure, "as ordered") : 0;
}

static int
leave(struct user_fake *f, int r)
{
	pthread_mutex_unlock(&f->lock);
	return r;
}

static int
fake_find(struct user_store *s, const char *email, struct user *ret, struct err *e)
{
	struct user_fake *f = self_of(s);
	const struct user *user;
	int r = enter(f, e);

	f->finds++;
	if (r < 0)
		return leave(f, r);
	user = by_email(f, email);
	if (user == NULL)
		return leave(f, err_set(e, ERR_NOT_FOUND, "no such user"));
	*ret = *user;
	canonical(user->email, ret->email);
	return leave(f, 0);
}

static int
fake_add(struct user_store *s, const struct user *user, struct err *e)
{
	struct user_fake *f = self_of(s);
	int r = enter(f, e);

	if (r < 0)
		return leave(f, r);
	if (by_email(f, user->email))
		return leave(f, err_set(e, ERR_CONFLICT, "the address exists"));
	if (f->count == USER_FAKE_MAX)
		return leave(f, err_set(e, ERR_INTERNAL, "the fake is full"));
	f->users[f->count] = *user;
	f->users[f->count++].id = ++f->last_id;
	return leave(f, 0);
}

static int
fake_set_password(struct user_store *s, int64_t id, const char *encoded,
		  enum password_scheme scheme, const char *old_encoded, struct err *e)
{
	struct user_fake *f = self_of(s);
	struct user *user = NULL;
	size_t i;
	int r = enter(f, e);

	if (r < 0)
		return leave(f, r);
	for (i = 0; i < f->count; i++)
		if (f->users[i].id == id)
			user = &f->users[i];
	if (old_encoded && (user == NULL || strcmp(user->password, old_encoded) != 0))
		return leave(f, err_set(e, ERR_CONFLICT, "the password was changed meanwhile"));
	if (user == NULL)
		return leave(f, err_set(e, ERR_NOT_FOUND, "no such user"));
	user->scheme = scheme;
	return leave(f, str_copy(user->password, sizeof user->password, encoded, e));
}

/* The user, or NULL with *ret the code and the lock released. */
static struct user *
enter_for(struct user_fake *f, const char *email, int *ret, struct err *e)
{
	struct user *user;

	*ret = enter(f, e);
	user = *ret < 0 ? NULL : by_email(f, email);
	if (*ret == 0 && user == NULL)
		*ret = err_set(e, ERR_NOT_FOUND, "no such user");
	if (user == NULL)
		leave(f, 0);
	return user;
}

static int
fake_set_disabled(struct user_store *s, const char *email, bool disabled, struct err *e)
{
	int r;
	struct user *user = enter_for(self_of(s), email, &r, e);

	if (user == NULL)
		return r;
	user->disabled = disabled;
	return leave(self_of(s), 0);
}

static int
fake_revoke_tokens(struct user_store *s, const char *email, int64_t before_s, struct err *e)
{
	int r;
	struct user *user = enter_for(self_of(s), email, &r, e);

	if (user == NULL)
		return r;
	user->tokens_valid_after_s = before_s;
	return leave(self_of(s), 0);
}

static int
fake_remove(struct user_store *s, const char *email, struct err *e)
{
	struct user_fake *f = self_of(s);
	int r;
	struct user *user = enter_for(f, email, &r, e);

	if (user == NULL)
		return r;
	memmove(user, user + 1, (size_t)(&f->users[f->count] - (user + 1)) * sizeof *user);
	f->count--;
	return leave(f, 0);
}

static int
walk(struct user_fake *f, bool restricted, user_visit visit, void *arg, struct err *e)
{
	SCOPED_FREE struct user *users = calloc(USER_FAKE_MAX, sizeof *users);
	size_t count, i;
	int r = enter(f, e);

	if (r < 0 || users == NULL)
		return leave(f, r < 0 ? r : ERR_NO_MEMORY);
	count = f->count;
	memcpy(users, f->users, count * sizeof *users);
	leave(f, 0);
	for (i = 0; i < count; i++) {
		char email[USERNAME_MAX + 1];

		canonical(users[i].email, email);
		memcpy(users[i].email, email, sizeof email);
		if (restricted && !users[i].disabled && users[i].tokens_valid_after_s == 0)
			continue;
		if ((r = visit(&users[i], arg, e)) < 0)
			return r;
	}
	return 0;
}

static int
fake_each(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return walk(self_of(s), false, visit, arg, e);
}

static int
fake_each_restricted(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return walk(self_of(s), true, visit, arg, e);
}

static int
fake_ping(struct user_store *s, struct err *e)
{
	return leave(self_of(s), enter(self_of(s), e));
}

static void
fake_close(struct user_store *s)
{
	pthread_mutex_destroy(&self_of(s)->lock);
	free(self_of(s));
}

static const struct user_store_ops fake_ops = {
	.find = fake_find,
	.add = fake_add,
	.set_password = fake_set_password,
	.set_disabled = fake_set_disabled,
	.revoke_tokens = fake_revoke_tokens,
	.remove = fake_remove,
	.each = fake_each,
	.each_restricted = fake_each_restricted,
	.ping = fake_ping,
	.close = fake_close,
};

void
user_fake_fail(struct user_store *s, int code)
{
	enter(self_of(s), NULL);
	self_of(s)->failure = code;
	leave(self_of(s), 0);
}

int
user_fake_finds(struct user_store *s)
{
	int finds;

	enter(self_of(s), NULL);
	finds = self_of(s)->finds;
	leave(self_of(s), 0);
	return finds;
}

int
user_fake_new(struct user_store **ret, struct err *e)
{
	struct user_fake *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_set(e, ERR_NO_MEMORY, "user fake");
	f->port.ops = &fake_ops;
	pthread_mutex_init(&f->lock, NULL);
	*ret = &f->port;
	return 0;
}
