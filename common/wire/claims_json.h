/* Claims <-> JSON: the payload of a token and the answer of /validate. Threads: any. */
#ifndef TONEARM_WIRE_CLAIMS_JSON_H
#define TONEARM_WIRE_CLAIMS_JSON_H

#include <stddef.h>

#include "base/err.h"
#include "base/text/str.h"
#include "model/claims.h"

/* Keys sorted, no spaces, non-ASCII as \uXXXX: {"admin":true,"exp":N,"iat":N,"username":"..."} */
int claims_write(const struct claims *claims, struct str *ret, struct err *e);
/* Hostile bytes in; exp, iat and username required, of the right types, username not empty. admin
 * is true for JSON true only; any other value, or none, reads as false. INVALID otherwise. */
int claims_read(const char *bytes, size_t len, struct claims *ret, struct err *e);

/* Whether header and payload of a compact token nest so little that any parser may see them:
 * libjwt's recurses, and an HTTP thread's stack is small. The token's shape is checked already
 * (three parts of base64url). */
int token_check_depth(const char *token, struct err *e);
/* The claims of a compact token whose signature is known to be good, as they were signed. */
int token_claims_read(const char *token, struct claims *ret, struct err *e);

#endif
