/* multipart/form-data (RFC 7578, RFC 2046), streaming and bounded: memory is the parser's own
 * struct. Push bytes in pieces of any size; events come out in order. No allocation. Threads:
 * one. */
#ifndef TONEARM_NET_MULTIPART_H
#define TONEARM_NET_MULTIPART_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "base/err.h"

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 */
#define MULTIPART_HEAD_MAX 8192   /* bytes of one part's head */
#define MULTIPART_PARTS_MAX 128
#define MULTIPART_NAME_MAX 255

struct multipart_part {
	char name[MULTIPART_NAME_MAX + 1];     /* may be "" */
	char filename[MULTIPART_NAME_MAX + 1]; /* decoded; hostile text */
	char content_type[128];
	bool has_filename; /* a file, even with an empty name */
};

/* A negative result of a callback stops the parser and is returned by multipart_feed. */
struct multipart_events {
	int (*part_begin)(void *arg, const struct multipart_part *, struct err *);
	int (*part_data)(void *arg, const char *data, size_t len, struct err *);
	int (*part_end)(void *arg, struct err *);
};

struct multipart {
	const struct multipart_events *events;
	void *arg;
	int state;
	int parts;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* "\r\n--boundary" */
	size_t delimiter_len;
	size_t matched; /* bytes of the delimiter held back */
	char head[MULTIPART_HEAD_MAX];
	size_t head_len;
	struct multipart_part part;
};

/* Reads the boundary from a Content-Type value. INVALID: not multipart/form-data, no boundary, too
 * long, or with bytes outside RFC 2046's set. */
int multipart_init(struct multipart *m, const char *content_type,
		   const struct multipart_events *events, void *arg, struct err *e);
/* INVALID: malformed (nested multipart, a part without Content-Disposition: form-data or name, bad
 * head line); TOO_LARGE: too many parts or a head too long. Bytes after the final boundary are
 * ignored. */
int multipart_feed(struct multipart *m, const char *data, size_t len, struct err *e);
/* At the end of the body: INVALID unless the final boundary was seen. */
int multipart_finish(const struct multipart *m, struct err *e);

#endif
