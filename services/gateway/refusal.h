/* Refusals: MsgQ's paths answer one plain line, ours application/problem+json (RFC 9457). */
#ifndef TONEARM_GATEWAY_REFUSAL_H
#define TONEARM_GATEWAY_REFUSAL_H

#include "base/err.h"
#include "net/http_server.h"

struct refusal {
	int status;            /* 0 = not refused */
	const char *words;     /* for the client */
	const char *challenge; /* WWW-Authenticate; NULL = none */
	int retry_after_s;     /* 0 = none */
};

enum refusal_style { REFUSAL_PLAIN, REFUSAL_PROBLEM };

void refuse(struct http_request *req, enum refusal_style style, const struct refusal *why);
/* A failure of ours or of a server: 503 or the status of its code, MsgQ's words, one log line. */
void refuse_error(struct http_request *req, enum refusal_style style, const char *what,
		  const struct err *e);

#endif
