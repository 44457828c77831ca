/* Identity over HTTP: POST /login and /validate at auth. See port/identity.h for the contract. */
#ifndef TONEARM_ADAPTER_IDENTITY_HTTP_H
#define TONEARM_ADAPTER_IDENTITY_HTTP_H

#include <stdint.h>

#include "port/identity.h"

/* Whether address can be asked; INVALID in words that stand behind a key's name. */
int identity_http_check(const char *address, struct err *e);
/* address: "auth:5000" (MsgQ's form) or a full http(s) URL. */
int identity_http_new(const char *address, int max_connections, int64_t deadline_ms,
		      struct identity **ret, struct err *e);

#endif
