/* The ledger in memory, for tests: the same contract as the real one, with the test's own clock.
 * Threads    may be shared.
 * Ownership  the clock is borrowed until ledger_close. */
#ifndef TONEARM_TESTS_FAKE_JOB_JOB_FAKE_H
#define TONEARM_TESTS_FAKE_JOB_JOB_FAKE_H

#include "base/clock.h"
#include "port/ledger.h"

/* clock NULL = the machine's; only its unix_ms is used. */
int job_fake_new(const struct clock *clock, struct ledger **ret, struct err *e);
/* Every call answers code (ERR_UNAVAILABLE: the server is away) until it is set to 0. */
void job_fake_break(struct ledger *s, int code);
/* The n-th call from now (1 = the next) answers code, once. */
void job_fake_break_nth(struct ledger *s, int n, int code);
/* How many calls were made so far, broken ones too. */
int job_fake_calls(struct ledger *s);

#endif
