/* Notifications: one line per result, at least once, and twice only where a process died between
 * the line and its record. Threads: one. */
#ifndef TONEARM_NOTIFICATION_NOTIFY_H
#define TONEARM_NOTIFICATION_NOTIFY_H

#include "base/err.h"
#include "port/job_store.h"
#include "port/queue.h"

#define NOTIFY_UNRECORDED_MAX 64

struct notifier {
	struct consumer *consumer; /* borrowed */
	struct job_store *jobs;    /* borrowed */
	const char *mp3_queue, *failed_queue;
	/* owned by notify: said, but not yet recorded; only the record is tried again for these */
	struct blob_id unrecorded[NOTIFY_UNRECORDED_MAX];
	size_t unrecorded_count;
};

enum notice {
	NOTICE_SAID,   /* the line is out and recorded */
	NOTICE_KNOWN,  /* it was said before */
	NOTICE_BURIED, /* no code can read the message: it is in the dead queue */
	NOTICE_LATER,  /* a server is away: the message went back, try again after a pause */
};

/* Handles one delivery to its end and frees it. e holds the words of NOTICE_BURIED and
 * NOTICE_LATER. */
enum notice notify(struct notifier *n, struct queue_delivery *delivery, struct err *e);

#endif
