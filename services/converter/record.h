/* What becomes of an attempt: its record in the ledger, its announcement, its log line. */
#ifndef TONEARM_CONVERTER_RECORD_H
#define TONEARM_CONVERTER_RECORD_H

#include "converter/attempt.h"

/* result: attempt_run's, with its words in e. A ledger that is away is waited for as long as the
 * lease is ours. Returns the metric's label. */
const char *record_attempt(const struct attempt *a, int result, int64_t ms, struct err *e);

#endif
