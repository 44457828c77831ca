#include "wire/report_json.h"

#include <jansson.h>

#include "wire/json_text.h"
#include "wire/findings_json.h"
#include "wire/loudness_json.h"

#define DIGITS 6

static json_t *
report_failed(const struct conversion_report *r)
{
	return json_pack("{s:s, s:{s:o, s:o}, s:f}", "result", "failed", "error", "code",
			 json_text_new(r->error.code), "message", json_text_new(r->error.message),
			 "took_s", r->took_s);
}

static json_t *
report_done(const struct conversion_report *r)
{
	return json_pack("{s:s, s:f, s:I, s:I, s:I, s:f, s:f, s:b, s:o, s:o, s:o, s:o}", "result",
			 "done", "duration_s", r->duration_s, "samples", (json_int_t)r->samples,
			 "bytes", (json_int_t)r->bytes, "bytes_read", (json_int_t)r->bytes_read,
			 "took_s", r->took_s, "speed",
			 r->took_s > 0 ? r->duration_s / r->took_s : 0.0, "copied", r->copied,
			 "loudness", loudness_json_new(&r->loudness), "warnings",
			 warnings_json_new(&r->warnings), "tracks", tracks_json_new(&r->tracks),
			 "track", track_taken_json_new(&r->tracks));
}

int
conversion_report_write(const struct conversion_report *report, struct str *ret, struct err *e)
{
	return json_append(report->error.code[0] != '\0' ? report_failed(report)
							 : report_done(report),
			   JSON_COMPACT | JSON_REAL_PRECISION(DIGITS), ret, e);
}
