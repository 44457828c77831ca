/* What the two halves of the faulty ledger share. */
#ifndef TONEARM_TESTS_FAKE_FAULTY_FAULTY_LEDGER_PRIVATE_H
#define TONEARM_TESTS_FAKE_FAULTY_FAULTY_LEDGER_PRIVATE_H

#include "fake/faulty/faulty.h"

struct faulty_ledger {
	struct ledger ledger;
	struct ledger *inner;
	struct faults *faults;
};

extern const struct job_life_ops faulty_life_ops;

#endif
