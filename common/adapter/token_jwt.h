/* Tokens as JWTs by libjwt. See port/token.h for the contract. */
#ifndef TONEARM_ADAPTER_TOKEN_JWT_H
#define TONEARM_ADAPTER_TOKEN_JWT_H

#include "base/secret.h"
#include "port/token.h"

/* sign signs and verifies; accept is a comma-separated list of further secrets that also verify
 * (may be empty). Both are copied and wiped on close. INVALID when sign is empty. */
int token_jwt_new(const struct secret *sign, const struct secret *accept, const struct clock *clock,
		  struct token_service **ret, struct err *e);

#endif
