/* A conversion's report -> JSON. Threads: any. */
#ifndef TONEARM_WIRE_REPORT_JSON_H
#define TONEARM_WIRE_REPORT_JSON_H

#include <stdint.h>

#include "base/err.h"
#include "base/text/str.h"
#include "model/job.h"
#include "model/track.h"
#include "model/warning.h"

struct conversion_report {
	double duration_s, took_s; /* of the sound; of the work */
	int64_t samples, bytes;    /* per channel; of the result */
	int64_t bytes_read;        /* of the file */
	bool copied;               /* not encoded anew */
	struct job_loudness loudness;
	struct warnings warnings;
	struct tracks tracks;
	struct job_error error; /* code "" = it was made */
};
/* {"result": "done", "duration_s", "samples", "bytes", "bytes_read", "took_s", "speed",
 * "copied", "loudness", "warnings", "tracks", "track"} or
 * {"result": "failed", "error": {"code", "message"}, "took_s"} */
int conversion_report_write(const struct conversion_report *report, struct str *ret, struct err *e);

#endif
