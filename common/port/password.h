/* Passwords: slow hashes of them.
 * Threads: may be shared. Time: every call but password_is_current costs one hash (tens of ms, and
 * the configured memory); callers bound how many run at once. Texts are bytes with a length and are
 * never kept. Errors: NO_MEMORY when the hash's memory is not to be had. */
#ifndef TONEARM_PORT_PASSWORD_H
#define TONEARM_PORT_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/user.h"

/* What one hash may be asked to cost. */
#define PASSWORD_MEMORY_MIN 8192
#define PASSWORD_MEMORY_MAX (INT64_C(4) << 30)
#define PASSWORD_ITERATIONS_MAX 1000

struct password_encoded {
	char text[PASSWORD_MAX + 1];
};

struct password_hasher;
struct password_hasher_ops {
	int (*hash)(struct password_hasher *, const char *text, size_t len,
		    struct password_encoded *, struct err *);
	int (*verify)(struct password_hasher *, const char *encoded, const char *text, size_t len,
		      struct err *);
	int (*burn)(struct password_hasher *, const char *text, size_t len, struct err *);
	bool (*is_current)(struct password_hasher *, const char *encoded);
	void (*close)(struct password_hasher *);
};
struct password_hasher {
	const struct password_hasher_ops *ops;
};

static inline int
password_hash(struct password_hasher *p, const char *text, size_t len, struct password_encoded *ret,
	      struct err *e)
{
	return p->ops->hash(p, text, len, ret, e);
}
/* 0 = the same password; DENIED = another one; CORRUPT = encoded is no hash of ours (no hash ran).
 */
static inline int
password_verify(struct password_hasher *p, const char *encoded, const char *text, size_t len,
		struct err *e)
{
	return p->ops->verify(p, encoded, text, len, e);
}
/* Takes as long as password_verify, for users that do not exist. */
static inline int
password_burn(struct password_hasher *p, const char *text, size_t len, struct err *e)
{
	return p->ops->burn(p, text, len, e);
}
/* Whether encoded was made with today's parameters. */
static inline bool
password_is_current(struct password_hasher *p, const char *encoded)
{
	return p->ops->is_current(p, encoded);
}
static inline void
password_hasher_close(struct password_hasher *p)
{
	if (p)
		p->ops->close(p);
}

SCOPE_DEFINE(struct password_hasher, password_hasher_close)

#endif
