/* User store: the user table. Parametrised SQL only.
 * Threads a store may be shared. Time: any call blocks at most the deadline (3 s by default).
 * Errors  NOT_FOUND no such user; CONFLICT the address exists; UNAVAILABLE, TIMEOUT try again.
 * Addresses are given lower-cased and trimmed; rows are found whatever the case of theirs. */
#ifndef TONEARM_PORT_USER_STORE_H
#define TONEARM_PORT_USER_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/user.h"

/* Called once per row; a negative result ends the walk and is returned. */
typedef int (*user_visit)(const struct user *user, void *arg, struct err *e);

struct user_store;
struct user_store_ops {
	int (*find)(struct user_store *, const char *email, struct user *, struct err *);
	int (*add)(struct user_store *, const struct user *, struct err *);
	int (*set_password)(struct user_store *, int64_t id, const char *encoded,
			    enum password_scheme, const char *old_encoded, struct err *);
	int (*set_disabled)(struct user_store *, const char *email, bool disabled, struct err *);
	int (*revoke_tokens)(struct user_store *, const char *email, int64_t before_s,
			     struct err *);
	int (*remove)(struct user_store *, const char *email, struct err *);
	int (*each)(struct user_store *, user_visit, void *arg, struct err *);
	int (*each_restricted)(struct user_store *, user_visit, void *arg, struct err *);
	int (*ping)(struct user_store *, struct err *);
	void (*close)(struct user_store *);
};
struct user_store {
	const struct user_store_ops *ops;
};

static inline int
user_find(struct user_store *s, const char *email, struct user *ret, struct err *e)
{
	return s->ops->find(s, email, ret, e);
}
static inline int
user_add(struct user_store *s, const struct user *user, struct err *e)
{
	return s->ops->add(s, user, e);
}
/* Replaces the password. old_encoded: only if the row still holds it (CONFLICT otherwise); NULL =
 * always. */
static inline int
user_set_password(struct user_store *s, int64_t id, const char *encoded,
		  enum password_scheme scheme, const char *old_encoded, struct err *e)
{
	return s->ops->set_password(s, id, encoded, scheme, old_encoded, e);
}
static inline int
user_set_disabled(struct user_store *s, const char *email, bool disabled, struct err *e)
{
	return s->ops->set_disabled(s, email, disabled, e);
}
/* Tokens issued before before_s (seconds since 1970) are refused from now on. */
static inline int
user_revoke_tokens(struct user_store *s, const char *email, int64_t before_s, struct err *e)
{
	return s->ops->revoke_tokens(s, email, before_s, e);
}
static inline int
user_remove(struct user_store *s, const char *email, struct err *e)
{
	return s->ops->remove(s, email, e);
}
/* Every user by id. */
static inline int
user_each(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return s->ops->each(s, visit, arg, e);
}
/* Users that are disabled or have tokens_valid_after set: what /validate must know. */
static inline int
user_each_restricted(struct user_store *s, user_visit visit, void *arg, struct err *e)
{
	return s->ops->each_restricted(s, visit, arg, e);
}
static inline int
user_store_ping(struct user_store *s, struct err *e)
{
	return s->ops->ping(s, e);
}
static inline void
user_store_close(struct user_store *s)
{
	if (s)
		s->ops->close(s);
}

SCOPE_DEFINE(struct user_store, user_store_close)

#endif
