/* Fairness: whose job is next. Of the users with the fewest jobs running, the one who was served
 * longest ago by this process, and of those who never were, the one whose oldest job is oldest.
 *
 * The rule stands here, once, for every ledger; a ledger answers two small questions (who waits and
 * how many each has running, and the oldest due job of these) by its indexes. Between the answers
 * others may be faster, which costs a little fairness and never a job. Expired leases are the
 * outbox's business.
 *
 * Why a memory of turns: without it a converter that runs one job at a time would ask when nobody
 * has any running, and serve a user with 500 older jobs 500 times. Each process has a memory of its
 * own, so that n converters serve the same user n times at most before another who waits.
 *
 * Threads    a struct fair may be shared.
 * Time       a few calls of the ledger; each blocks at most its deadline.
 * Bounds     FAIR_TURNS_MAX users are remembered (who is forgotten counts as never served);
 *            FAIR_USERS_MAX that wait are compared. */
#ifndef TONEARM_FLOW_FAIR_H
#define TONEARM_FLOW_FAIR_H

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"
#include "port/job_life.h"

#define FAIR_TURNS_MAX 256
#define FAIR_USERS_MAX 10000

struct fair_turn {
	char username[USERNAME_MAX + 1];
	uint64_t number; /* 0 = free */
};
struct fair {
	pthread_mutex_t lock;
	/* under lock */
	struct fair_turn turns[FAIR_TURNS_MAX];
	uint64_t last;
};

void fair_init(struct fair *f);
void fair_fini(struct fair *f);
/* Leases the fairest QUEUED job that is due. NOT_FOUND: nothing to do. */
int fair_lease(struct fair *f, struct job_life *jobs, const struct job_lease_terms *terms,
	       struct job *ret, struct err *e);

#endif
