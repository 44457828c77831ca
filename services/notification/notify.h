/* Notifications: one line per result, at least once, and twice only where a process died between
 * the line and its record. What is logged after either call, until the caller clears the context
 * "job_id", names the job that it dealt with last. Threads: one. */
#ifndef TONEARM_NOTIFICATION_NOTIFY_H
#define TONEARM_NOTIFICATION_NOTIFY_H

#include "base/err.h"
#include "port/job_notice.h"
#include "port/queue.h"

#define NOTIFY_UNRECORDED_MAX 64
/* Longer than a ledger that is back can still seem away from here (PAUSE_MAX_MS of main.c). */
#define NOTIFY_CLAIM_MS 15000

struct notifier {
	struct consumer *consumer; /* borrowed */
	struct job_notice *jobs;   /* borrowed */
	const char *mp3_queue, *failed_queue;
	const char *owner; /* of claims: this process, and no other that ever lived */
	/* owned by notify: said, but not yet recorded; only the record is tried again for these */
	struct job_message unrecorded[NOTIFY_UNRECORDED_MAX];
	size_t unrecorded_count;
};

enum notice {
	NOTICE_SAID,   /* the line is out and recorded */
	NOTICE_KNOWN,  /* it was said before */
	NOTICE_BURIED, /* no code can read the message: it is in the dead queue */
	/* another process is about to say it: the message went back until that is recorded, or its
	 * claim has run out */
	NOTICE_OTHERS,
	NOTICE_LATER, /* a server is away: the message went back, try again after a pause */
};

/* Handles one delivery to its end and frees it. e holds the words of NOTICE_BURIED and
 * NOTICE_LATER. */
enum notice notify(struct notifier *n, struct queue_delivery *delivery, struct err *e);
/* Records what was said while the ledger was away; to be called before each delivery, so that no
 * claim runs out while this process lives. */
int notify_settle(struct notifier *n, struct err *e);

#endif
