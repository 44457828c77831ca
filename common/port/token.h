/* Tokens: signed claims (JWT, HS256 and nothing else).
 * Threads: may be shared. No I/O. Errors: DENIED for any token that is not to be believed, with a
 * reason for the log that never holds the token. */
#ifndef TONEARM_PORT_TOKEN_H
#define TONEARM_PORT_TOKEN_H

#include "base/err.h"
#include "base/scope.h"
#include "base/clock.h"
#include "base/text/str.h"
#include "model/claims.h"

struct token_service;
struct token_service_ops {
	int (*sign)(struct token_service *, const struct claims *, struct str *, struct err *);
	int (*verify)(struct token_service *, const char *token, struct claims *, struct err *);
	void (*close)(struct token_service *);
};
struct token_service {
	const struct token_service_ops *ops;
};

/* Appends the token to ret. */
static inline int
token_sign(struct token_service *t, const struct claims *claims, struct str *ret, struct err *e)
{
	return t->ops->sign(t, claims, ret, e);
}
/* Refused: any header alg but HS256, a bad signature under every accepted secret, no or passed exp,
 * nbf ahead, iat more than 60 s ahead, unknown crit, a username that is no text, empty or too long.
 */
static inline int
token_verify(struct token_service *t, const char *token, struct claims *ret, struct err *e)
{
	return t->ops->verify(t, token, ret, e);
}
static inline void
token_service_close(struct token_service *t)
{
	if (t)
		t->ops->close(t);
}

SCOPE_DEFINE(struct token_service, token_service_close)

#endif
