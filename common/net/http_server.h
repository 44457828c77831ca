/* HTTP server: routes, limits, and one thread per connection with blocking handlers.
 *
 * A route has begin (after the head), and for bodies optionally body (each piece) and end. A
 * handler answers once with http_reply or http_reply_stream, from begin (then the body is discarded
 * within the limits and the answer sent; past them the connection closes), from body, or from end;
 * a route without body/end answers in begin. After an answer no more body is handed over. state
 * (see http_set_state) is freed exactly once, also when the client goes away in mid-body.
 *
 * The server itself answers:
 *   OPTIONS  200 + Allow;  HEAD  as GET without the body (routes with GET)
 *   400      shapes of smuggling: duplicate Content-Length, both lengths, bad chunk framing, two
 *            Hosts, two Authorizations, ...
 *   404      `not found`
 *   405      `method not allowed` + Allow
 *   431      over 32 KiB of head
 *   500      a handler that answered nothing, or no memory
 *   503      + Retry-After past the connection limit
 * in plain one-line bodies, text/html; charset=utf-8, no newline, as MsgQ's clients expect.
 *
 * A path's leading slashes count as one. A reaper shuts sockets whose head or body is too slow.
 * Threads: a request is used only inside its handlers. */
#ifndef TONEARM_NET_HTTP_SERVER_H
#define TONEARM_NET_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/stop.h"

struct http_server;
struct http_request;

typedef void (*http_begin)(struct http_request *, void *service);
typedef void (*http_body)(struct http_request *, void *service, const char *data, size_t len);
typedef void (*http_end)(struct http_request *, void *service);

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_PATCH, HTTP_PUT };

struct http_route {
	enum http_method method;
	const char *path; /* exact; a last segment "*" takes any one segment (http_path_tail) */
	http_begin begin;
	http_body body;
	http_end end;
};

/* One line for metrics and the log, once per request. route is the pattern, or "none". */
struct http_done {
	const char *method, *route, *request_id;
	int status; /* 0 = the client went away before an answer */
	int64_t duration_ms, bytes_in, bytes_out;
};
typedef void (*http_observer)(const struct http_done *, void *arg);

struct http_server_config {
	const char *address; /* "0.0.0.0", "::", "127.0.0.1" */
	int port;            /* 0 = any (http_server_port tells) */
	const struct http_route *routes;
	size_t route_count;
	void *service;           /* handed to handlers */
	int max_connections;     /* past it: 503 + Retry-After */
	int64_t head_timeout_ms; /* whole head, from the first byte or the accept */
	int64_t idle_timeout_ms; /* keep-alive connection without a request; silence in mid-body */
	int64_t min_body_rate;   /* bytes per second, averaged over 30 s; 0 = no minimum */
	int64_t discard_bytes,
		discard_ms; /* how much of a refused body is read before the answer or close */
	const char *trusted_proxies; /* CIDR list whose X-Forwarded-For is believed; "" = none */
	http_observer observer;      /* may be NULL */
	void *observer_arg;
};
/* Sensible values for all but routes, service, address and port. */
struct http_server_config http_server_defaults(void);

/* Whether http_server_start can read them: INVALID in words that stand behind a key's name. */
int http_address_check(const char *address, struct err *e);
int http_trusted_check(const char *list, struct err *e);
/* Binds and serves at once. UNAVAILABLE with words when the port is taken. */
int http_server_start(const struct http_server_config *config, struct http_server **ret,
		      struct err *e);
int http_server_port(const struct http_server *s);
int http_server_connections(const struct http_server *s);
/* From now on an answer closes its connection. New connections are still taken for linger_ms, which
 * is what a load balancer needs to see that this replica is no longer ready; then accepting ends,
 * idle connections are closed, requests under way are waited for until drain_ms have passed
 * altogether, and the rest is shut. */
void http_server_drain(struct http_server *s, int64_t linger_ms, int64_t drain_ms);
void http_server_close(struct http_server *s);
SCOPE_DEFINE(struct http_server, http_server_close)

/* The request. Texts are borrowed until the answer was sent. */
const char *http_header(const struct http_request *, const char *name); /* NULL = absent */
const char *http_query(const struct http_request *,
		       const char *name); /* first one, decoded; NULL = absent; may be "" */
bool http_query_has_nul(const struct http_request *,
			const char *name);               /* the decoded value holds a NUL byte */
const char *http_path_tail(const struct http_request *); /* what "*" stood for, decoded */
const char *
http_client_address(const struct http_request *);    /* after trusted proxies; "203.0.113.9" */
bool http_client_known(const struct http_request *); /* false: a trusted proxy names no client */
const char *http_request_id(const struct http_request *); /* X-Request-Id if sane, else made here */
bool http_is_head(const struct http_request *);
int64_t http_content_length(const struct http_request *); /* -1 = unknown (chunked or none) */
void http_set_state(struct http_request *, void *state, void (*free_state)(void *));
void *http_state(const struct http_request *);
bool http_answered(const struct http_request *);

/* The answer. */
struct http_header_line {
	const char *name, *value;
};
#define HTTP_HEADERS_MAX 12
struct http_reply {
	int status;
	const char *content_type;               /* NULL = text/html; charset=utf-8 */
	const char *body;                       /* copied; NULL = empty */
	size_t len;                             /* 0 with a body = strlen */
	const struct http_header_line *headers; /* copied */
	size_t header_count;
};
void http_reply(struct http_request *, const struct http_reply *);
/* The commonest: status and words. */
void http_reply_text(struct http_request *, int status, const char *words);
/* 503 `service unavailable` and the like with Retry-After. */
void http_reply_busy(struct http_request *, int status, const char *words, int retry_after_s);

/* Streams exactly size bytes from read (which gives 1..max bytes, or a negative code: the
 * connection is cut so that the client sees the break). free_arg runs once, also for HEAD, where
 * read is never called. */
typedef int64_t (*http_read)(void *arg, char *to, size_t max);
void http_reply_stream(struct http_request *, const struct http_reply *head, int64_t size,
		       http_read read, void (*free_arg)(void *), void *arg);
/* The same without a copy: lend gives where the next bytes are and how many (1 or more, no more than
 * are missing; or a negative code); they are its own again with the next call or free_arg. The
 * connection ends with such a reply, so it is for long ones. */
typedef int64_t (*http_lend)(void *arg, const void **ret_at);
void http_reply_lent(struct http_request *, const struct http_reply *head, int64_t size,
		     http_lend lend, void (*free_arg)(void *), void *arg);
/* Sends size bytes (1 or more) of a regular file from offset on, by the kernel where it can. fd is
 * borrowed for this call alone. A file that ends early cuts the connection, after idle_timeout_ms. */
void http_reply_file(struct http_request *, const struct http_reply *head, int fd, int64_t offset,
		     int64_t size);

#endif
