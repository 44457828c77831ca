/* What /validate must know of users without asking MySQL: who is disabled, and whose older tokens
 * are revoked. Refreshed from the store now and then; what is known stays while the store is away.
 * Threads: any; one refreshes. */
#ifndef TONEARM_AUTH_RESTRICTIONS_H
#define TONEARM_AUTH_RESTRICTIONS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/scope.h"
#include "model/claims.h"
#include "port/user_store.h"

struct restrictions;
int restrictions_new(const struct clock *clock, struct restrictions **ret, struct err *e);
/* Replaces all that is known, or changes nothing. */
int restrictions_refresh(struct restrictions *r, struct user_store *users, struct err *e);
bool restrictions_loaded(struct restrictions *r);
/* 0 or DENIED. */
int restrictions_check(struct restrictions *r, const struct claims *claims, struct err *e);
void restrictions_free(struct restrictions *r);
SCOPE_DEFINE(struct restrictions, restrictions_free)

#endif
