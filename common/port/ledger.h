/* One ledger with its five ports: what an adapter opens once, and its owner closes once. Whoever
 * works with it borrows the ports that it needs, at most until ledger_close. */
#ifndef TONEARM_PORT_LEDGER_H
#define TONEARM_PORT_LEDGER_H

#include "base/scope.h"
#include "port/job_desk.h"
#include "port/job_leftover.h"
#include "port/job_life.h"
#include "port/job_notice.h"
#include "port/job_outbox.h"

struct ledger {
	void (*close)(struct ledger *);
	struct job_life life;
	struct job_outbox outbox;
	struct job_notice notice;
	struct job_desk desk;
	struct job_leftover leftover;
};

static inline void
ledger_close(struct ledger *l)
{
	if (l)
		l->close(l);
}

SCOPE_DEFINE(struct ledger, ledger_close)

#endif
