/* A request's way: guard, route, begin, body, end, and what becomes of a body that nobody wants. */
#include "net/http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/log/log.h"
#include "net/http_status.h"

static const char *const method_names[] = {
	[HTTP_GET] = "GET",     [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE",
	[HTTP_PATCH] = "PATCH", [HTTP_PUT] = "PUT",
};

/* The path as routes write it: one leading slash, no authority. */
static const char *
dispatch_plain_path(const char *path)
{
	if (strncasecmp(path, "http://", 7) == 0 || strncasecmp(path, "https://", 8) == 0) {
		path = strchr(strchr(path, ':') + 3, '/');
		if (!path)
			return "/";
	}
	while (path[0] == '/' && path[1] == '/')
		path++;
	return path;
}

static bool
dispatch_path_matches(const char *pattern, const char *path, const char **ret_tail)
{
	size_t len = strlen(pattern);

	if (len < 2 || strcmp(pattern + len - 2, "/*") != 0)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, len - 1) != 0)
		return false;
	*ret_tail = path + len - 1;
	return **ret_tail != '\0' && !strchr(*ret_tail, '/');
}

struct match {
	const struct http_route *route, *path_only; /* path_only: any route of this path */
	bool allowed[ARRAY_LEN(method_names)];
};

static struct match
dispatch_find_route(struct http_request *req)
{
	const struct http_server_config *config = &req->server->config;
	const char *method = req->x.head ? "GET" : req->x.method;
	struct match m = { .route = NULL };

	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->routes[i];

		if (!dispatch_path_matches(route->path, req->x.path, &req->x.tail))
			continue;
		m.path_only = route;
		m.allowed[route->method] = true;
		if (!m.route && strcmp(method, method_names[route->method]) == 0)
			m.route = route;
	}
	return m;
}

static void
dispatch_reply_allow(struct http_request *req, const struct match *m, int status)
{
	struct http_header_line line = { "Allow", NULL };
	char allow[64];
	int n = snprintf(allow, sizeof allow, "OPTIONS");

	for (size_t i = 0; i < ARRAY_LEN(method_names); i++)
		if (m->allowed[i])
			n += snprintf(allow + n, sizeof allow - (size_t)n, ", %s%s",
				      method_names[i], i == HTTP_GET ? ", HEAD" : "");
	line.value = allow;
	http_reply(req, &(struct http_reply){ .status = status,
					      .body = status == 200 || req->x.head
							      ? NULL
							      : http_status_words(status),
					      .headers = &line,
					      .header_count = 1 });
}

static bool
dispatch_id_sane(const char *id)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz._-";
	size_t len = id ? strlen(id) : 0;

	return len > 0 && len <= HTTP_ID_MAX && strspn(id, allowed) == len;
}

static void
dispatch_set_id(struct http_request *req)
{
	const char *id = http_header(req, "X-Request-Id");

	if (dispatch_id_sane(id))
		memcpy(req->x.id, id, strlen(id) + 1);
	else
		random_hex(req->x.id, 16);
	log_context("request_id", req->x.id);
}

static void
dispatch_read_body_shape(struct http_request *req)
{
	const char *length = http_header(req, "Content-Length"), *expect;
	struct http_exchange *x = &req->x;

	/* MHD refused what is no number, or too large for one. */
	x->content_length = length ? (int64_t)strtoull(length, NULL, 10) : -1;
	x->has_body |= x->content_length != 0 && length;
	expect = http_header(req, "Expect");
	x->expects = x->has_body && expect && strcasecmp(expect, "100-continue") == 0 &&
		     strcmp(x->version, "HTTP/1.0") != 0;
}

static void
dispatch_begin_route(struct http_request *req)
{
	struct match m = dispatch_find_route(req);

	req->x.route = m.route;
	if (!m.route && m.path_only)
		req->x.route = m.path_only;
	if (!m.path_only)
		http_reply_text(req, 404, http_status_words(404));
	else if (strcmp(req->x.method, "OPTIONS") == 0)
		dispatch_reply_allow(req, &m, 200);
	else if (!m.route)
		dispatch_reply_allow(req, &m, 405);
	else
		m.route->begin(req, req->server->config.service);
}

/* The first call for a request. No answer is queued here but to a client that waits for 100
 * Continue: MHD would close the connection behind it, and the client might see a reset. */
static enum MHD_Result
dispatch_begin(struct http_request *req)
{
	struct http_exchange *x = &req->x;
	int refusal;

	x->begun = true;
	x->started = now_monotonic_ms();
	http_watch_phase(req->server, &req->watch, HTTP_PHASE_HANDLER);
	x->head = strcmp(x->method, "HEAD") == 0;
	x->path = dispatch_plain_path(x->path);
	dispatch_set_id(req);
	if ((refusal = http_guard_head(req)) != 0) {
		const char *words = http_status_words(refusal);

		http_reply_raw(req, refusal, words, strlen(words), NULL);
		return MHD_NO;
	}
	dispatch_read_body_shape(req);
	http_client_find(req);
	dispatch_begin_route(req);
	if (x->cut)
		return MHD_NO;
	if (x->answered && x->expects)
		return http_reply_queue(req);
	x->discard_started = now_monotonic_ms();
	if (x->has_body)
		http_watch_phase(req->server, &req->watch,
				 x->answered ? HTTP_PHASE_DISCARD : HTTP_PHASE_BODY);
	return MHD_YES;
}

static enum MHD_Result
dispatch_discard_body(struct http_request *req, size_t len)
{
	const struct http_server_config *config = &req->server->config;
	struct http_exchange *x = &req->x;

	x->discarded += (int64_t)len;
	if (x->discarded <= config->discard_bytes &&
	    now_monotonic_ms() - x->discard_started <= config->discard_ms)
		return MHD_YES;
	http_reply_raw_pending(req);
	return MHD_NO;
}

static enum MHD_Result
dispatch_take_body(struct http_request *req, const char *data, size_t len)
{
	struct http_exchange *x = &req->x;

	x->bytes_in += (int64_t)len;
	if (x->answered)
		return dispatch_discard_body(req, len);
	http_watch_body(req->server, &req->watch, len);
	if (x->route && x->route->body)
		x->route->body(req, req->server->config.service, data, len);
	if (x->cut)
		return MHD_NO;
	x->discard_started = now_monotonic_ms();
	http_watch_phase(req->server, &req->watch,
			 x->answered ? HTTP_PHASE_DISCARD : HTTP_PHASE_BODY);
	return MHD_YES;
}

static enum MHD_Result
dispatch_end_body(struct http_request *req)
{
	struct http_exchange *x = &req->x;

	http_watch_phase(req->server, &req->watch, HTTP_PHASE_HANDLER);
	if (!x->answered && x->route && x->route->end)
		x->route->end(req, req->server->config.service);
	if (!x->answered)
		http_reply_text(req, 500, http_status_words(500));
	return http_reply_queue(req);
}

enum MHD_Result
http_dispatch(struct http_request *req, const char *data, size_t *len)
{
	size_t n = *len;

	if (!req->x.begun)
		return dispatch_begin(req);
	if (n == 0)
		return dispatch_end_body(req);
	*len = 0;
	return dispatch_take_body(req, data, n);
}

/* Ended, and not by the client: without an answer of ours MHD itself refused the body's framing. */
static bool
dispatch_ended_by_answer(enum MHD_RequestTerminationCode how)
{
	return how == MHD_REQUEST_TERMINATED_COMPLETED_OK ||
	       how == MHD_REQUEST_TERMINATED_WITH_ERROR;
}

static void
dispatch_observe(const struct http_request *req, enum MHD_RequestTerminationCode how)
{
	const struct http_server_config *config = &req->server->config;
	const struct http_exchange *x = &req->x;
	int status = x->queued ? x->status : dispatch_ended_by_answer(how) ? 400 : 0;

	if (!config->observer)
		return;
	config->observer(&(struct http_done){ .method = x->method,
					      .route = x->route ? x->route->path : "none",
					      .request_id = x->id,
					      .status = status,
					      .duration_ms = now_monotonic_ms() - x->started,
					      .bytes_in = x->bytes_in,
					      .bytes_out = http_reply_bytes_out(req, how) },
			 config->observer_arg);
}

void
http_dispatch_done(struct http_request *req, enum MHD_RequestTerminationCode how)
{
	struct http_exchange *x = &req->x;

	if (x->begun) {
		/* The body ended early (half-closed, or shut by the reaper): the answer may still
		 * go, but not behind one that MHD gave. */
		if (!dispatch_ended_by_answer(how))
			http_reply_raw_pending(req);
		dispatch_observe(req, how);
	}
	if (x->response)
		MHD_destroy_response(x->response);
	if (x->state && x->free_state)
		x->free_state(x->state);
	free(x->early_body);
	if (x->begun)
		log_context("request_id", NULL);
	*x = (struct http_exchange){ 0 };
	http_watch_phase(req->server, &req->watch, HTTP_PHASE_IDLE);
}
