/* Identity: the gateway's view of auth. A verdict on credentials, whatever it travels by.
 *
 * Threads    may be shared.
 * Time       at most the adapter's deadline.
 * Errors     UNAVAILABLE or TIMEOUT when auth gave no answer that makes sense; *ret is untouched
 *            then. An answer of any kind is 0 and stands in *ret, a refusal too.
 * Ownership  everything passed in is borrowed for the call. */
#ifndef TONEARM_PORT_IDENTITY_H
#define TONEARM_PORT_IDENTITY_H

#include "base/err.h"
#include "base/scope.h"
#include "model/claims.h"

#define IDENTITY_TEXT_MAX 8191 /* bytes */

enum identity_verdict {
	IDENTITY_GRANTED,
	IDENTITY_UNAUTHENTICATED, /* no credentials, or wrong ones: others may be granted */
	IDENTITY_FORBIDDEN,       /* these credentials are not accepted */
	IDENTITY_THROTTLED,       /* too many failures: again after retry_after_s */
	IDENTITY_UNDECIDED,       /* auth is there, but cannot tell now (its database is away) */
};

struct identity_reply {
	enum identity_verdict verdict;
	int retry_after_s; /* 0 = none */
	/* a granted login: the token; a refusal: one line of words that the client may see */
	char text[IDENTITY_TEXT_MAX + 1];
	struct claims claims; /* a granted validation */
};

/* For whom it is asked; each may be NULL. */
struct identity_caller {
	const char *address; /* of the client: auth counts failures by it; login alone needs it */
	const char *request_id; /* stands on auth's log lines too; as http_request_id gives it */
};

struct identity;
struct identity_ops {
	int (*login)(struct identity *, const char *authorization, const struct identity_caller *,
		     struct identity_reply *, struct err *);
	int (*validate)(struct identity *, const char *authorization,
			const struct identity_caller *, struct identity_reply *, struct err *);
	int (*ping)(struct identity *, struct err *);
	void (*close)(struct identity *);
};
struct identity {
	const struct identity_ops *ops;
};

/* Trades an address and a password for a token. authorization: "Basic ...", as the client's header
 * has it; NULL when it has none. */
static inline int
identity_login(struct identity *i, const char *authorization, const struct identity_caller *caller,
	       struct identity_reply *ret, struct err *e)
{
	return i->ops->login(i, authorization, caller, ret, e);
}

/* Judges a token. authorization: "Bearer ...", as the client's header has it; NULL when it has
 * none. */
static inline int
identity_validate(struct identity *i, const char *authorization,
		  const struct identity_caller *caller, struct identity_reply *ret, struct err *e)
{
	return i->ops->validate(i, authorization, caller, ret, e);
}

/* 0 when auth is there. */
static inline int
identity_ping(struct identity *i, struct err *e)
{
	return i->ops->ping(i, e);
}

static inline void
identity_close(struct identity *i)
{
	if (i)
		i->ops->close(i);
}

SCOPE_DEFINE(struct identity, identity_close)

#endif
