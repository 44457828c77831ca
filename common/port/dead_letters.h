/* Dead letters: what lies in "<queue>.dead", for an operator's hand (queue_bury puts it there).
 *
 * A visit hands the oldest messages out one by one, in their order, without consuming them. The
 * broker cannot show a message without giving it away, so each is fetched and held until the visit
 * ends, then given back all at once. On a classic queue all that was kept stands where it stood; a
 * quorum queue may put it behind what was not visited. Kept messages are marked redelivered from
 * the first visit on. While a visit lasts no other one sees what it holds; whatever ends it (a
 * crash, a lost connection) gives everything back. A broker that drops what was returned too often
 * (a quorum queue's delivery limit) loses nothing here: before that a message is replaced by a copy
 * of itself at the queue's end.
 *
 * Requeue    published to the queue it came from, with its key and headers (persistent, confirmed),
 *            then the dead one is acked. Drop acks. A crash between may double a message and never
 *            loses one.
 * Threads    one.
 * Time       every wait for the broker ends within the deadline of the adapter.
 * Errors     UNAVAILABLE, TIMEOUT: try again; what was told before the error stands. */
#ifndef TONEARM_PORT_DEAD_LETTERS_H
#define TONEARM_PORT_DEAD_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "model/message.h"

#define DEAD_REASON_MAX 1023 /* bytes kept */

struct dead_letter {            /* borrowed for the call, and hostile */
	struct message message; /* destination: the queue it came from; body: at most 1 MiB of it */
	uint64_t size;          /* of the body; more than message.len when it was cut */
	const char *reason;     /* why it was buried; "" = none is known */
	bool redelivered;
};

enum dead_verdict { DEAD_KEEP, DEAD_REQUEUE, DEAD_DROP };
/* What shall become of it; a negative code ends the visit with it. */
typedef int (*dead_visitor)(void *arg, const struct dead_letter *letter, struct err *e);

struct dead_letters;
struct dead_letters_ops {
	int (*visit)(struct dead_letters *, const char *queue, size_t max, dead_visitor, void *arg,
		     struct err *);
	void (*close)(struct dead_letters *);
};
struct dead_letters {
	const struct dead_letters_ops *ops;
};

/* Visits at most max of the oldest. A queue without dead letters, or without "<queue>.dead", is
 * visited with nothing (0). A message that was cut cannot be requeued: TOO_LARGE, and it stays. */
static inline int
dead_letters_visit(struct dead_letters *d, const char *queue, size_t max, dead_visitor visitor,
		   void *arg, struct err *e)
{
	return d->ops->visit(d, queue, max, visitor, arg, e);
}
static inline void
dead_letters_close(struct dead_letters *d)
{
	if (d)
		d->ops->close(d);
}

SCOPE_DEFINE(struct dead_letters, dead_letters_close)

#endif
