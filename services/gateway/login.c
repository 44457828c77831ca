/* POST /login: the credentials go to auth, its answer comes back. */
#include "gateway/gateway.h"

#include "base/scope.h"
#include "gateway/refusal.h"

void
gateway_login(struct http_request *req, void *gateway)
{
	const struct gateway *g = gateway;
	SCOPED_FREE struct identity_reply *reply = calloc(1, sizeof *reply);
	const struct identity_caller caller = { http_client_address(req), http_request_id(req) };
	struct err e = ERR_NONE;

	if (reply == NULL) {
		(void)err_set(&e, ERR_NO_MEMORY, "reply of auth");
		refuse_error(req, REFUSAL_PLAIN, "login", &e);
		return;
	}
	if (identity_login(g->identity, http_header(req, "Authorization"), &caller, reply, &e) <
	    0) {
		refuse_error(req, REFUSAL_PLAIN, "login", &e);
		return;
	}
	refuse(req, REFUSAL_PLAIN,
	       &(struct refusal){ .status = reply->status,
				  .words = reply->text,
				  .challenge =
					  reply->status == 401 ? "Basic realm=\"tonearm\"" : NULL,
				  .retry_after_s = reply->retry_after_s });
}
