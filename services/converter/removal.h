/* One ended job's files, removed because an operator says so. As the janitor does it: the job is
 * marked by compare-and-set before a blob goes and settled after, so that a removal that was
 * interrupted is finished by the next. Threads: any number at once. */
#ifndef TONEARM_CONVERTER_REMOVAL_H
#define TONEARM_CONVERTER_REMOVAL_H

#include "port/blob_store.h"
#include "port/ledger.h"

struct removal {
	struct blob_store *videos, *mp3s; /* all borrowed */
	struct ledger *ledger;
};

/* The video goes, and a result; a done job is EXPIRED then, a failed one cannot be retried any
 * more. 0 also when all had gone before. CONFLICT: the job has not ended, or moved on. */
int removal_run(const struct removal *r, const struct blob_id *video, struct err *e);

#endif
