/* Who may go on: the token by auth, then the admin claim, in MsgQ's order. */
#ifndef TONEARM_GATEWAY_AUTHORIZE_H
#define TONEARM_GATEWAY_AUTHORIZE_H

#include <stdbool.h>

#include "gateway/gateway.h"
#include "gateway/refusal.h"

/* True and the claims; else the request was answered. */
bool authorize(struct http_request *req, const struct gateway *g, enum refusal_style style,
	       struct claims *ret);

#endif
