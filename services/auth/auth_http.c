#include "auth/auth_http.h"

#include "base/log/log.h"
#include "wire/authorization.h"
#include "wire/claims_json.h"

#define TOKEN_TEXT_MAX 8191
#define CLAIMS_TEXT_MAX 4096

static void
auth_reply_challenge(struct http_request *req, int status, const char *words, const char *challenge)
{
	const struct http_header_line header = { "WWW-Authenticate", challenge };

	http_reply(req, &(struct http_reply){ .status = status,
					      .body = words,
					      .headers = &header,
					      .header_count = 1 });
}

/* The client's address, or NULL when only a proxy's is known: a trusted one that forwards none
 * (MsgQ's gateway). Counting failures by it would lock out everyone behind it. */
static const char *
auth_client_of(const struct http_request *req)
{
	return http_client_known(req) ? http_client_address(req) : NULL;
}

static void
auth_log_refusal(const struct login_answer *answer, const char *client, const struct err *e)
{
	const char *label = login_label(answer->result);

	if (login_status(answer->result) >= 500)
		log_warn(LOG_EVENT("login_failed"), LOG_STR("result", label),
			 LOG_STR("user", answer->user), LOG_STR("client", client), LOG_ERR(e));
	else
		log_info(LOG_EVENT("login_refused"), LOG_STR("result", label),
			 LOG_STR("user", answer->user), LOG_STR("client", client),
			 LOG_STR("reason", e->text));
}

static void
auth_login_begin(struct http_request *req, void *arg)
{
	struct auth_service *service = arg;
	struct login_answer answer = { .token = STR_MAX(TOKEN_TEXT_MAX) };
	const char *words;
	struct err e = ERR_NONE;

	login_attempt(&service->login, http_header(req, "Authorization"), auth_client_of(req),
		      &answer, &e);
	words = login_words(answer.result);
	if (service->login_done)
		service->login_done(service->login_done_arg, login_label(answer.result));
	if (answer.result == LOGIN_GRANTED)
		http_reply_text(req, 200, str_text(&answer.token));
	else if (answer.retry_after_s > 0)
		http_reply_busy(req, login_status(answer.result), words, answer.retry_after_s);
	else if (login_status(answer.result) == 401)
		auth_reply_challenge(req, 401, words, "Basic realm=\"tonearm\"");
	else
		http_reply_text(req, login_status(answer.result), words);
	if (answer.result != LOGIN_GRANTED)
		auth_log_refusal(&answer, http_client_address(req), &e);
	str_free(&answer.token);
}

static void
auth_reply_claims(struct http_request *req, const struct claims *claims)
{
	SCOPED(str_free) struct str text = STR_MAX(CLAIMS_TEXT_MAX);
	struct err e = ERR_NONE;

	if (claims_write(claims, &text, &e) == 0)
		str_puts(&text, "\n");
	if (e.code != 0 || str_error(&text, &e) < 0) {
		log_error(LOG_EVENT("claims_not_written"), LOG_ERR(&e));
		http_reply_text(req, 500, "internal server error");
		return;
	}
	http_reply(req, &(struct http_reply){ .status = 200,
					      .content_type = "application/json",
					      .body = text.data,
					      .len = text.len });
}

static void
auth_validate_begin(struct http_request *req, void *arg)
{
	struct auth_service *service = arg;
	struct err e = ERR_NONE;
	const char *token = "";
	struct claims claims;
	int r;

	if (bearer_read(http_header(req, "Authorization"), &token) == BEARER_MISSING) {
		auth_reply_challenge(req, 401, "missing credentials", "Bearer");
		return;
	}
	if ((r = token_verify(service->login.tokens, token, &claims, &e)) == 0)
		r = restrictions_check(service->restrictions, &claims, &e);
	if (err_is_transient(r)) { /* nothing is known of the token: not to be told as a refusal */
		log_warn(LOG_EVENT("validate_failed"), LOG_ERR(&e));
		http_reply_busy(req, 503, "service unavailable", 1);
		return;
	}
	if (r < 0) {
		log_debug(LOG_EVENT("token_refused"), LOG_STR("reason", e.text));
		http_reply_text(req, 403, "not authorized");
		return;
	}
	auth_reply_claims(req, &claims);
}

const struct http_route auth_routes[] = {
	{ HTTP_POST, "/login", auth_login_begin, NULL, NULL },
	{ HTTP_POST, "/validate", auth_validate_begin, NULL, NULL },
};
const size_t auth_route_count = ARRAY_LEN(auth_routes);
