/* Errors: a code that says what to do, and words for the log.
 *
 * A function returns 0 or a negative enum err_code, and puts the words into the caller's struct err
 * (which lives on the caller's stack and may be NULL). Results are untouched on failure. A positive
 * result exists only where a header lists it; the immediate caller handles it and never forwards
 * it. Context is added on the way up with err_prefix, and the error is logged once, where the
 * request or job ends. Words never hold a secret. */
#ifndef TONEARM_BASE_ERR_H
#define TONEARM_BASE_ERR_H

#include <stdbool.h>

enum err_code {
	ERR_OK = 0,
	ERR_INVALID = -1,     /* the input is wrong: say so to its sender */
	ERR_DENIED = -2,      /* the sender may not do this */
	ERR_NOT_FOUND = -3,   /* no such thing */
	ERR_CONFLICT = -4,    /* someone was faster, or it exists already */
	ERR_TOO_LARGE = -5,   /* over a limit */
	ERR_UNAVAILABLE = -6, /* a server is away or a pool is full: try again later */
	ERR_TIMEOUT = -7,     /* a deadline passed: try again later */
	ERR_CORRUPT = -8,     /* stored or received data is broken: trying again will not help */
	ERR_NO_MEMORY = -9,   /* an allocation failed */
	ERR_INTERNAL = -10,   /* a fault of ours or of a library */
};

struct err {
	int code;
	char text[240];
};

#define ERR_NONE ((struct err){ 0 })

/* Stores code and words (e may be NULL); returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "words: " before what e holds; returns code. */
int err_prefix(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As err_set, with ": strerror(errno_value)" behind the words. */
int err_errno(struct err *e, int code, int errno_value, const char *what);
/* "unavailable", "timeout", ...: stable words for logs and metrics. */
const char *err_name(int code);
/* UNAVAILABLE, TIMEOUT, NO_MEMORY: the same call may succeed later. */
bool err_is_transient(int code);

#endif
