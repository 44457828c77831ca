/* The ledger's contract as tests, run on the ledger in memory and on the real one. */
#ifndef TONEARM_TESTS_CONTRACT_JOB_JOB_SUITE_H
#define TONEARM_TESTS_CONTRACT_JOB_JOB_SUITE_H

#include "port/ledger.h"

struct job_suite_server {
	/* An empty ledger; called before each test, closed by the suite after it. */
	struct ledger *(*open)(void);
	/* Lets ms pass for the ledger that open gave last. */
	void (*advance)(int64_t ms);
};

/* The number of failed tests. */
int job_suite_run(const char *name, const struct job_suite_server *server);

#endif
