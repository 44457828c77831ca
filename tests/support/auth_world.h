/* auth's routes on a port of loopback, over users in memory, real tokens and a small argon2id. */
#ifndef TONEARM_SUPPORT_AUTH_WORLD_H
#define TONEARM_SUPPORT_AUTH_WORLD_H

#include "auth/auth_http.h"

#define AUTH_WORLD_SECRET "0123456789abcdef0123456789abcdef"
/* user@example.org with the password Admin123 in clear, as in a table of MsgQ */
#define AUTH_WORLD_RIGHT "Basic dXNlckBleGFtcGxlLm9yZzpBZG1pbjEyMw=="
#define AUTH_WORLD_WRONG "Basic dXNlckBleGFtcGxlLm9yZzp3cm9uZw=="
#define AUTH_WORLD_UNKNOWN "Basic bm9ib2R5QGV4YW1wbGUub3JnOkFkbWluMTIz"

struct auth_world {
	struct user_store *users;
	struct token_service *tokens;
	struct password_hasher *passwords;
	struct hash_gate *gate;
	struct login_limiter *limiter;
	struct restrictions *restrictions;
	struct auth_service service;
	struct http_server *server;
	char url[64]; /* "http://127.0.0.1:PORT" */
};

/* -1 with words on stderr. failures: per user and address. */
int auth_world_start(struct auth_world *w, int64_t failures);
void auth_world_stop(struct auth_world *w);
/* A token of these claims, good or not. */
void auth_world_token(struct auth_world *w, const struct claims *claims, char ret[2048]);

#endif
