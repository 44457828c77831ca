#include "gateway/authorize.h"

#include "base/scope.h"
#include "wire/authorization.h"

/* What MsgQ's gateway says to each verdict on a token. */
static struct refusal
refusal_of_token(const struct identity_reply *reply)
{
	switch (reply->verdict) {
	case IDENTITY_GRANTED:
		if (reply->claims.admin)
			return (struct refusal){ 0 };
		return (struct refusal){ 401, "not authorized",
					 "Bearer error=\"insufficient_scope\"", 0 };
	case IDENTITY_UNAUTHENTICATED:
		return (struct refusal){ 401, "missing credentials", "Bearer", 0 };
	case IDENTITY_FORBIDDEN:
		return (struct refusal){ 403, "not authorized", NULL, 0 };
	case IDENTITY_THROTTLED:
	case IDENTITY_UNDECIDED:
		break;
	}
	return (struct refusal){ 503, "service unavailable", NULL,
				 reply->retry_after_s > 0 ? reply->retry_after_s : 1 };
}

bool
authorize(struct http_request *req, const struct gateway *g, enum refusal_style style,
	  struct claims *ret)
{
	const char *authorization = http_header(req, "Authorization");
	SCOPED_FREE struct identity_reply *reply = NULL;
	const struct identity_caller caller = { .request_id = http_request_id(req) };
	struct refusal why;
	struct err e = ERR_NONE;
	const char *token;

	/* auth asks the same; here too because MsgQ's auth answers 500 to one word and takes any
	 * scheme */
	if (bearer_read(authorization, &token) == BEARER_MISSING) {
		refuse(req, style, &(struct refusal){ 401, "missing credentials", "Bearer", 0 });
		return false;
	}
	reply = calloc(1, sizeof *reply);
	if (!reply) {
		(void)err_set(&e, ERR_NO_MEMORY, "reply of auth");
		refuse_error(req, style, "validate", &e);
		return false;
	}
	if (identity_validate(g->identity, authorization, &caller, reply, &e) < 0) {
		refuse_error(req, style, "validate", &e);
		return false;
	}
	why = refusal_of_token(reply);
	if (why.status != 0) {
		refuse(req, style, &why);
		return false;
	}
	*ret = reply->claims;
	return true;
}
