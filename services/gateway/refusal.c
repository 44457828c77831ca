#include "gateway/refusal.h"

#include <stdio.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/text/str.h"
#include "net/http_status.h"
#include "wire/problem_json.h"

#define RETRY_AFTER_S 2

static void
refusal_reply(struct http_request *req, const struct refusal *why, const char *type,
	      const char *body)
{
	struct http_header_line lines[2];
	char seconds[16];
	size_t n = 0;

	if (why->challenge)
		lines[n++] = (struct http_header_line){ "WWW-Authenticate", why->challenge };
	if (why->retry_after_s > 0) {
		(void)snprintf(seconds, sizeof seconds, "%d", why->retry_after_s);
		lines[n++] = (struct http_header_line){ "Retry-After", seconds };
	}
	http_reply(req, &(struct http_reply){ .status = why->status,
					      .content_type = type,
					      .body = body,
					      .headers = lines,
					      .header_count = n });
}

void
refuse(struct http_request *req, enum refusal_style style, const struct refusal *why)
{
	SCOPED(str_free) struct str problem = STR_MAX(4096);

	if (style == REFUSAL_PROBLEM &&
	    problem_write(why->status, NULL, http_status_words(why->status), why->words, &problem,
			  NULL) == 0) {
		refusal_reply(req, why, "application/problem+json", str_text(&problem));
		return;
	}
	refusal_reply(req, why, NULL, why->words);
}

void
refuse_error(struct http_request *req, enum refusal_style style, const char *what,
	     const struct err *e)
{
	struct refusal why = { .status = http_status_of(e->code) };

	if (why.status == 503)
		why.retry_after_s = RETRY_AFTER_S;
	why.words = http_status_words(why.status);
	log_warn(LOG_EVENT("request_failed"), LOG_STR("what", what), LOG_ERR(e));
	refuse(req, style, &why);
}
