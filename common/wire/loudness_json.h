/* Loudness -> JSON, over jansson. Private to wire/. Threads: any. */
#ifndef TONEARM_WIRE_LOUDNESS_JSON_H
#define TONEARM_WIRE_LOUDNESS_JSON_H

#include "model/job.h"

struct json_t; /* jansson's */

/* {"integrated_lufs", "range_lu", "true_peak_dbtp"}, each null when it has no value; null when none
 * has. */
struct json_t *loudness_json_new(const struct job_loudness *loudness);

#endif
