/* Structured logs on standard output, one line per event, whole lines in one write.
 *
 *   log_info(LOG_EVENT("job_done"), LOG_STR("video_fid", fid), LOG_INT("bytes", n));
 *
 * LOG_FORMAT=text gives logfmt:
 *   ts=... level=info svc=converter event=job_done video_fid=65f0... bytes=1234
 * LOG_FORMAT=json gives one JSON object with the same keys.
 *
 * Values are escaped (base/text/legible.h). A line has a ceiling of 8 KiB, past which values are cut.
 * A thread's context (request or job id) stands on each of its lines.
 * Library code does not log, it returns errors: the service logs one line where a request or job
 * ends. Threads: any. */
#ifndef TONEARM_BASE_LOG_LOG_H
#define TONEARM_BASE_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_field_type {
	LOG_FIELD_END,
	LOG_FIELD_STR,
	LOG_FIELD_INT,
	LOG_FIELD_DOUBLE,
	LOG_FIELD_BOOL,
	LOG_FIELD_JSON
};

struct log_field {
	const char *key;
	enum log_field_type type;
	const char *str; /* NULL prints as "" */
	int64_t num;
	double real;
};

#define LOG_EVENT(name) LOG_STR("event", name)
#define LOG_STR(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_STR, .str = (v) })
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_INT, .num = (int64_t)(v) })
#define LOG_REAL(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_DOUBLE, .real = (v) })
#define LOG_BOOL(k, v)                                                                             \
	((struct log_field){ .key = (k), .type = LOG_FIELD_BOOL, .num = (v) ? 1 : 0 })
/* A JSON value of ours as it is: null where the line has no room for it. In text, its text. */
#define LOG_JSON(k, v) ((struct log_field){ .key = (k), .type = LOG_FIELD_JSON, .str = (v) })
/* Two fields: error=<code name> and reason=<words>. */
#define LOG_ERR(e) LOG_STR("error", err_name((e)->code)), LOG_STR("reason", (e)->text)
#define LOG_END ((struct log_field){ .type = LOG_FIELD_END })

#define LOG_LINE(level, ...) log_write(level, (const struct log_field[]){ __VA_ARGS__, LOG_END })
#define log_debug(...) LOG_LINE(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_LINE(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) LOG_LINE(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_LINE(LOG_LEVEL_ERROR, __VA_ARGS__)

/* Before any thread starts; service must outlive the process. fd is where lines go (1). */
void log_init(const char *service, enum log_level level, enum log_format format, int fd);
int log_level_parse(const char *text, enum log_level *ret);   /* debug info warn error; -1 */
int log_format_parse(const char *text, enum log_format *ret); /* text json; -1 */
void log_write(enum log_level level, const struct log_field *fields);
/* A line of bare words (no keys) in text format; in JSON the words stand in "msg" beside fields.
 * For notifications: other programs cut these lines apart. */
void log_bare(const char *words, const struct log_field *fields);
/* This thread's id for its lines, e.g. "request_id". Copied (cut at 64 bytes); value NULL removes
 * it. */
void log_context(const char *key, const char *value);

#endif
