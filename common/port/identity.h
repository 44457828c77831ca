/* Identity: the gateway's view of auth. HTTP in production.
 * Threads: may be shared. Time: at most the deadline (3 s by default). Errors: UNAVAILABLE or
 * TIMEOUT when auth did not answer; an answer of any kind is 0 and stands in the reply. */
#ifndef TONEARM_PORT_IDENTITY_H
#define TONEARM_PORT_IDENTITY_H

#include "base/err.h"
#include "base/scope.h"
#include "model/claims.h"

#define IDENTITY_TEXT_MAX 8191

struct identity_reply {
	int status;        /* 200, 401, 403, 429, 503: what the client is to see */
	int retry_after_s; /* 0 = none */
	char text[IDENTITY_TEXT_MAX +
		  1];         /* login: the token or the words; validate: the words of a refusal */
	struct claims claims; /* validate with status 200 */
};

/* For whom it is asked; each may be NULL. Borrowed for the call. */
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

/* authorization: the header's value, NULL when absent. */
static inline int
identity_login(struct identity *i, const char *authorization, const struct identity_caller *caller,
	       struct identity_reply *ret, struct err *e)
{
	return i->ops->login(i, authorization, caller, ret, e);
}
static inline int
identity_validate(struct identity *i, const char *authorization,
		  const struct identity_caller *caller, struct identity_reply *ret, struct err *e)
{
	return i->ops->validate(i, authorization, caller, ret, e);
}
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
