#include "adapter/identity_http.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text/str.h"
#include "net/http_client.h"
#include "wire/authorization.h"
#include "wire/claims_json.h"

#define URL_MAX 512
#define HEADER_MAX 32768 /* as much as a request's whole head */
#define VALUE_MAX 64     /* of an address or a request id: more is left out */

struct identity_http {
	struct identity port;
	/* set once */
	struct http_client *client;
	int64_t deadline_ms;
	char login_url[URL_MAX], validate_url[URL_MAX];
};

static struct identity_http *
identity_http_of(struct identity *i)
{
	return CONTAINER_OF(i, struct identity_http, port);
}

static void
set_reply(struct identity_reply *ret, enum identity_verdict verdict, const char *text)
{
	ret->verdict = verdict;
	ret->retry_after_s = 0;
	memset(&ret->claims, 0, sizeof ret->claims);
	(void)snprintf(ret->text, sizeof ret->text, "%s", text);
}

/* No control characters: the value goes into a header of ours. */
static bool
is_plain(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static int
send_request(struct identity_http *self, const char *method, const char *url,
	     const char *const *headers, struct http_client_response *ret, struct err *e)
{
	int r = http_client_send(self->client,
				 &(struct http_client_request){
					 .method = method,
					 .url = url,
					 .headers = headers,
					 .timeout_ms = self->deadline_ms,
				 },
				 ret, e);

	if (r == ERR_TOO_LARGE)
		r = ERR_UNAVAILABLE;
	return r < 0 ? err_prefix(e, r, "auth") : 0;
}

/* One line more, where there is a value; where it stands. */
static const char **
add_header(const char **next, char line[VALUE_MAX + 32], const char *name, const char *value)
{
	if (!value || strlen(value) > VALUE_MAX || !is_plain(value))
		return next;
	(void)snprintf(line, VALUE_MAX + 32, "%s: %s", name, value);
	*next = line;
	return next + 1;
}

static int
ask_auth(struct identity_http *self, const char *url, const char *authorization,
	 const struct identity_caller *caller, struct http_client_response *ret, struct err *e)
{
	SCOPED(str_free) struct str header = STR_MAX(HEADER_MAX + 64);
	char forwarded[VALUE_MAX + 32], id[VALUE_MAX + 32];
	const char *headers[4] = { NULL }, **next = headers + 1;
	int r;

	str_printf(&header, "Authorization: ");
	str_puts(&header, authorization);
	if ((r = str_error(&header, e)) < 0)
		return r;
	headers[0] = header.data;
	if (caller) {
		next = add_header(next, forwarded, "X-Forwarded-For", caller->address);
		(void)add_header(next, id, "X-Request-Id", caller->request_id);
	}
	r = send_request(self, "POST", url, headers, ret, e);
	memory_wipe(header.data, header.len);
	return r;
}

/* One line of words that a client may see; a page of HTML is none. */
static bool
is_words(const struct str *body)
{
	const char *text = str_text(body);

	return body->len > 0 && body->len <= IDENTITY_TEXT_MAX && strlen(text) == body->len &&
	       text[0] != '<' && is_plain(text);
}

static int
odd_answer(const struct http_client_response *response, struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "auth: an answer that makes no sense (status %d)",
		       response->status);
}

/* The refusals that a client may see as they are. */
static int
take_refusal(const struct http_client_response *response, struct identity_reply *ret, struct err *e)
{
	static const struct {
		int status;
		enum identity_verdict verdict;
	} refusals[] = {
		{ 401, IDENTITY_UNAUTHENTICATED },
		{ 403, IDENTITY_FORBIDDEN },
		{ 429, IDENTITY_THROTTLED },
		{ 503, IDENTITY_UNDECIDED },
	};

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (refusals[i].status != response->status || !is_words(&response->body))
			continue;
		set_reply(ret, refusals[i].verdict, response->body.data);
		ret->retry_after_s = response->retry_after_s;
		return 0;
	}
	return odd_answer(response, e);
}

static int
identity_http_login(struct identity *i, const char *authorization,
		    const struct identity_caller *caller, struct identity_reply *ret, struct err *e)
{
	struct identity_http *self = identity_http_of(i);
	struct http_client_response response = { .body = STR_MAX(IDENTITY_TEXT_MAX) };
	int r;

	if (!authorization || !is_plain(authorization)) {
		set_reply(ret, IDENTITY_UNAUTHENTICATED, "missing credentials");
		return 0;
	}
	r = ask_auth(self, self->login_url, authorization, caller, &response, e);
	if (r == 0 && response.status != 200)
		r = take_refusal(&response, ret, e);
	else if (r == 0 && (!is_words(&response.body) || strchr(response.body.data, ' ')))
		r = odd_answer(&response, e);
	else if (r == 0)
		set_reply(ret, IDENTITY_GRANTED, response.body.data);
	if (response.body.data)
		memory_wipe(response.body.data, response.body.len);
	str_free(&response.body);
	return r;
}

static int
identity_http_validate(struct identity *i, const char *authorization,
		       const struct identity_caller *caller, struct identity_reply *ret,
		       struct err *e)
{
	struct identity_http *self = identity_http_of(i);
	struct http_client_response response = { .body = STR_MAX(IDENTITY_TEXT_MAX) };
	struct claims claims;
	const char *token;
	int r;

	/* MsgQ's auth answers 500 to what is no `Bearer <token>`: it is not asked. */
	if (bearer_read(authorization, &token) == BEARER_MISSING || !is_plain(authorization)) {
		set_reply(ret, IDENTITY_UNAUTHENTICATED, "missing credentials");
		return 0;
	}
	r = ask_auth(self, self->validate_url, authorization, caller, &response, e);
	if (r == 0 && response.status != 200) {
		r = take_refusal(&response, ret, e);
	} else if (r == 0 &&
		   claims_read(str_text(&response.body), response.body.len, &claims, e) < 0) {
		r = err_prefix(e, ERR_UNAVAILABLE, "auth: claims");
	} else if (r == 0) {
		set_reply(ret, IDENTITY_GRANTED, "");
		ret->claims = claims;
	}
	str_free(&response.body);
	return r;
}

/* Port 5000 has no health route (MsgQ's neither): any answer says that auth is there. */
static int
identity_http_ping(struct identity *i, struct err *e)
{
	struct identity_http *self = identity_http_of(i);
	struct http_client_response response = { .body = STR_MAX(IDENTITY_TEXT_MAX) };
	int r = send_request(self, "OPTIONS", self->login_url, NULL, &response, e);

	str_free(&response.body);
	return r;
}

static void
identity_http_close(struct identity *i)
{
	struct identity_http *self = identity_http_of(i);

	http_client_free(self->client);
	free(self);
}

static const struct identity_ops identity_http_ops = {
	.login = identity_http_login,
	.validate = identity_http_validate,
	.ping = identity_http_ping,
	.close = identity_http_close,
};

static int
make_url(char to[URL_MAX], const char *address, const char *path, struct err *e)
{
	size_t len = strlen(address);
	const char *scheme = strstr(address, "://") ? "" : "http://";
	int n;

	while (len > 0 && address[len - 1] == '/')
		len--;
	n = snprintf(to, URL_MAX, "%s%.*s%s", scheme, (int)len, address, path);
	if (len == 0 || n < 0 || n >= URL_MAX)
		return err_set(e, ERR_INVALID, "the address of auth is empty or too long");
	return 0;
}

int
identity_http_check(const char *address, struct err *e)
{
	char url[URL_MAX];
	int r = make_url(url, address, "/login", e);

	if (r < 0 || (r = http_url_check(url, e)) == 0)
		return r;
	return err_prefix(e, r, "\"%.60s\" is neither host:port nor an http URL", address);
}

int
identity_http_new(const char *address, int max_connections, int64_t deadline_ms,
		  struct identity **ret, struct err *e)
{
	SCOPED_FREE struct identity_http *self = calloc(1, sizeof *self);
	int r;

	if (!self)
		return err_set(e, ERR_NO_MEMORY, "identity");
	self->port.ops = &identity_http_ops;
	self->deadline_ms = deadline_ms;
	if ((r = make_url(self->login_url, address, "/login", e)) < 0 ||
	    (r = make_url(self->validate_url, address, "/validate", e)) < 0 ||
	    (r = http_client_new(max_connections, &self->client, e)) < 0)
		return r;
	*ret = &TAKE(self)->port;
	return 0;
}
