/* Counts failed logins per (user, client address) and per address, never per user alone: nobody can
 * lock another one's account from elsewhere. Memory is fixed; when it is full the least guilty
 * entries give way. A failure counts once it is known, so a burst may pass a limit by as many
 * attempts as the hash gate lets in at once. IPv6 counts by /64. Threads: any. */
#ifndef TONEARM_AUTH_LOGIN_LIMITER_H
#define TONEARM_AUTH_LOGIN_LIMITER_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/scope.h"

struct login_limiter_config {
	/* Failures within the window, of one user from one address and of one address; 0 = no limit. */
	int64_t per_pair, per_address;
	int64_t window_ms;
	const struct clock *clock;
};

enum login_outcome {
	LOGIN_SUCCEEDED, /* forgets the pair's failures */
	LOGIN_FAILED,
	LOGIN_UNDECIDED, /* a server was away: nobody's fault */
};

/* Which of the two limits is reached. */
enum login_limit { LOGIN_LIMIT_PAIR, LOGIN_LIMIT_ADDRESS };

struct login_limiter;
int login_limiter_new(const struct login_limiter_config *config, struct login_limiter **ret,
		      struct err *e);
/* 0 = go on (and settle later); else the seconds to wait, and in ret_which (may be NULL) why: of both
 * limits the one that ends later. address NULL = unknown: never limited. */
int login_limiter_admit(struct login_limiter *l, const char *user, const char *address,
			enum login_limit *ret_which);
void login_limiter_settle(struct login_limiter *l, const char *user, const char *address,
			  enum login_outcome outcome);
void login_limiter_free(struct login_limiter *l);
SCOPE_DEFINE(struct login_limiter, login_limiter_free)

#endif
