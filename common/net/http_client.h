/* HTTP client over libcurl, with a bounded pool of keep-alive connections. No redirects, no proxies
 * from the environment, only http and https. Threads: may be shared. */
#ifndef TONEARM_NET_HTTP_CLIENT_H
#define TONEARM_NET_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/text/str.h"

struct http_client;
struct http_client_request {
	const char *method, *url;
	const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
	const char *body;
	size_t body_len;
	int64_t timeout_ms; /* whole exchange, waiting for a pool place included */
};
struct http_client_response {
	int status;
	int retry_after_s; /* 0 = none */
	char content_type[128];
	struct str body; /* give it a ceiling (STR_MAX) before the call; free it after */
};

/* Whether a request can be sent there: INVALID says what is wrong with it. */
int http_url_check(const char *url, struct err *e);
int http_client_new(int max_connections, struct http_client **ret, struct err *e);
/* 0 when an answer of any status came; UNAVAILABLE, TIMEOUT otherwise; TOO_LARGE past the body's
 * ceiling. */
int http_client_send(struct http_client *c, const struct http_client_request *request,
		     struct http_client_response *ret, struct err *e);
void http_client_free(struct http_client *c);
SCOPE_DEFINE(struct http_client, http_client_free)

#endif
