/* POST /login: from an Authorization header to a token. Threads: any number at once.
 * Well-formed credentials cost one password hash on every path that reaches a verdict, so that an
 * unknown address answers as late as a wrong password. */
#ifndef TONEARM_AUTH_LOGIN_H
#define TONEARM_AUTH_LOGIN_H

#include "auth/hash_gate.h"
#include "auth/login_limiter.h"
#include "base/text/str.h"
#include "port/password.h"
#include "port/token.h"
#include "port/user_store.h"

enum login_result {
	LOGIN_GRANTED,
	LOGIN_MISSING, /* no credentials, or none that can be read */
	LOGIN_INVALID,
	LOGIN_LIMITED, /* too many failures; see retry_after_s */
	LOGIN_BUSY,    /* the hash gate is full */
	LOGIN_AWAY,    /* the user store is, or memory */
	LOGIN_BROKEN,
	LOGIN_RESULTS,
};

struct login {
	/* all borrowed */
	struct user_store *users;
	struct token_service *tokens;
	struct password_hasher *passwords;
	struct hash_gate *gate;
	struct login_limiter *limiter;
	const struct clock *clock;
};

struct login_answer {
	enum login_result result;
	int retry_after_s;           /* 0 = none */
	char user[USERNAME_MAX + 1]; /* "" unless there is such a user; LIMITED: as it was given */
	struct str token;            /* give it a ceiling; LOGIN_GRANTED only */
};

/* header may be NULL; client is the client's address, NULL = unknown. e holds the reason for the
 * log with every result but GRANTED. */
void login_attempt(struct login *l, const char *header, const char *client,
		   struct login_answer *ret, struct err *e);

int login_status(enum login_result result);
const char *login_words(enum login_result result); /* the body */
const char *login_label(enum login_result result); /* for logs and metrics */

#endif
