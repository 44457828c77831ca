/* Jobs and job messages <-> JSON. Threads: any. Errors: INVALID with words that name the key at
 * fault. */
#ifndef TONEARM_WIRE_JOB_JSON_H
#define TONEARM_WIRE_JOB_JSON_H

#include <stddef.h>

#include "base/err.h"
#include "base/text/str.h"
#include "model/job.h"

/* {"video_fid": hex, "mp3_fid": null or hex, "username": text[, "error": {"code", "message"}]
 * [, "warnings": [{"code", "message", "at_s", "seconds"}, ...]]} */
int job_message_write(const struct job_message *message, struct str *ret, struct err *e);

enum job_message_kind { JOB_MESSAGE_VIDEO, JOB_MESSAGE_MP3, JOB_MESSAGE_FAILED };
/* Hostile bytes in. Unknown keys are ignored; video_fid and username are required, mp3_fid with
 * kind MP3, error with kind FAILED; at most 64 KiB; fids may be of either case. warnings are taken
 * from a kind MP3 as far as they are this build's. */
int job_message_read(const char *bytes, size_t len, enum job_message_kind kind,
		     struct job_message *ret, struct err *e);

/* What GET /jobs/<video_fid> shows the owner. */
int job_write(const struct job *job, struct str *ret, struct err *e);
/* The same warnings alone: at most 8 KiB. */
int job_warnings_write(const struct warnings *warnings, struct str *ret, struct err *e);
/* What an operator is shown: the same and username, content_type, lease_owner, lease_until and the
 * other times; and "history": [{"owner", "began_at", "ended_at", "took_s", "end", "error"}] unless
 * history is NULL. */
int job_record_write(const struct job *job, const struct job_attempt *history, size_t count,
		     struct str *ret, struct err *e);

#endif
