/* POST /login: the credentials go to auth, its answer comes back. */
#include "gateway/gateway.h"

#include "base/scope.h"
#include "gateway/refusal.h"

static int
login_refusal_status(enum identity_verdict verdict)
{
	switch (verdict) {
	case IDENTITY_UNAUTHENTICATED:
		return 401;
	case IDENTITY_FORBIDDEN:
		return 403;
	case IDENTITY_THROTTLED:
		return 429;
	case IDENTITY_GRANTED:
	case IDENTITY_UNDECIDED:
		break;
	}
	return 503;
}

static void
login_refuse(struct http_request *req, const struct identity_reply *reply)
{
	struct refusal why = { .status = login_refusal_status(reply->verdict),
			       .words = reply->text,
			       .retry_after_s = reply->retry_after_s };

	if (reply->verdict == IDENTITY_UNAUTHENTICATED)
		why.challenge = "Basic realm=\"tonearm\"";
	refuse(req, REFUSAL_PLAIN, &why);
}

void
gateway_login(struct http_request *req, void *gateway)
{
	const struct gateway *g = gateway;
	const struct identity_caller caller = { http_client_address(req), http_request_id(req) };
	SCOPED_FREE struct identity_reply *reply = calloc(1, sizeof *reply);
	struct err e = ERR_NONE;
	int r;

	if (!reply) {
		(void)err_set(&e, ERR_NO_MEMORY, "reply of auth");
		refuse_error(req, REFUSAL_PLAIN, "login", &e);
		return;
	}
	r = identity_login(g->identity, http_header(req, "Authorization"), &caller, reply, &e);
	if (r < 0)
		refuse_error(req, REFUSAL_PLAIN, "login", &e);
	else if (reply->verdict == IDENTITY_GRANTED)
		http_reply_text(req, 200, reply->text);
	else
		login_refuse(req, reply);
}
