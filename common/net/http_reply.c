#include "net/http_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text/str.h"
#include "net/http_status.h"

#define LINGER_MS 1000
#define LINGER_BYTES ((int64_t)8 << 20)
#define RAW_MAX 16384

static const char html[] = "text/html; charset=utf-8";

bool
http_reply_draining(const struct http_request *req)
{
	return atomic_load(&req->server->draining);
}

static int
reply_add_headers(struct http_request *req, const struct http_reply *reply,
		  struct MHD_Response *response)
{
	enum MHD_Result ok;

	ok = MHD_add_response_header(response, "Content-Type",
				     reply->content_type ? reply->content_type : html);
	ok &= MHD_add_response_header(response, "X-Request-Id", req->x.id);
	for (size_t i = 0; i < reply->header_count; i++)
		ok &= MHD_add_response_header(response, reply->headers[i].name,
					      reply->headers[i].value);
	if (http_reply_draining(req))
		ok &= MHD_add_response_header(response, "Connection", "close");
	return ok == MHD_YES ? 0 : ERR_NO_MEMORY;
}

static void
reply_set_response(struct http_request *req, int status, struct MHD_Response *response)
{
	req->x.answered = true;
	req->x.status = status;
	req->x.response = response;
}

/* Nothing to answer with: the connection is cut, as a crash would. */
static void
reply_give_up(struct http_request *req)
{
	req->x.answered = true;
	req->x.cut = true;
}

/* While the body is still coming MHD takes no response, and it does not give back the bytes of
 * one. */
static void
reply_keep_early_body(struct http_request *req, const char *body, size_t len)
{
	if (!req->x.has_body || len == 0)
		return;
	req->x.early_body = malloc(len);
	if (!req->x.early_body)
		return;
	memcpy(req->x.early_body, body, len);
	req->x.early_len = len;
}

void
http_reply(struct http_request *req, const struct http_reply *reply)
{
	size_t len = !reply->body ? 0 : reply->len ? reply->len : strlen(reply->body);
	struct MHD_Response *response;
	/* MHD takes void * but only copies. */
	union {
		const char *text;
		void *any;
	} body = { .text = reply->body ? reply->body : "" };

	if (req->x.answered)
		return;
	response = MHD_create_response_from_buffer(len, body.any, MHD_RESPMEM_MUST_COPY);
	if (!response) {
		reply_give_up(req);
		return;
	}
	if (reply_add_headers(req, reply, response) < 0) {
		MHD_destroy_response(response);
		reply_give_up(req);
		return;
	}
	reply_keep_early_body(req, reply->body, len);
	if (!req->x.head)
		req->x.bytes_out = (int64_t)len;
	reply_set_response(req, reply->status, response);
}

void
http_reply_text(struct http_request *req, int status, const char *words)
{
	http_reply(req, &(struct http_reply){ .status = status, .body = words });
}

void
http_reply_busy(struct http_request *req, int status, const char *words, int retry_after_s)
{
	char seconds[16];
	struct http_header_line line = { "Retry-After", seconds };

	(void)snprintf(seconds, sizeof seconds, "%d", retry_after_s);
	http_reply(req,
		   &(struct http_reply){
			   .status = status, .body = words, .headers = &line, .header_count = 1 });
}

void
http_reply_take(struct http_request *req, const struct http_reply *head,
		struct MHD_Response *response)
{
	if (!response) {
		reply_give_up(req);
		return;
	}
	if (reply_add_headers(req, head, response) < 0) {
		MHD_destroy_response(response);
		reply_give_up(req);
		return;
	}
	reply_set_response(req, head->status, response);
}

void
http_reply_file(struct http_request *req, const struct http_reply *head, int fd, int64_t offset,
		int64_t size)
{
	struct MHD_Response *response = NULL;
	int own;

	if (req->x.answered)
		return;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own >= 0)
		response = MHD_create_response_from_fd_at_offset64((uint64_t)size, own,
								   (uint64_t)offset);
	if (!response) {
		if (own >= 0)
			(void)close(own);
		reply_give_up(req);
		return;
	}
	if (reply_add_headers(req, head, response) < 0) {
		MHD_destroy_response(response); /* and own with it */
		reply_give_up(req);
		return;
	}
	req->x.file_size = req->x.head ? 0 : size;
	req->x.file_acked = http_watch_acked(&req->watch);
	reply_set_response(req, head->status, response);
}

int64_t
http_reply_bytes_out(const struct http_request *req, enum MHD_RequestTerminationCode how)
{
	const struct http_exchange *x = &req->x;
	int64_t acked;

	if (!x->queued)
		return 0;
	if (x->file_size == 0)
		return x->bytes_out;
	if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		return x->file_size;
	acked = (int64_t)(http_watch_acked(&req->watch) - x->file_acked);
	return acked < x->file_size ? acked : x->file_size;
}

enum MHD_Result
http_reply_queue(struct http_request *req)
{
	enum MHD_Result ok;

	if (req->x.cut || !req->x.response)
		return MHD_NO;
	http_watch_phase(req->server, &req->watch, HTTP_PHASE_REPLY);
	req->x.queued = true;
	ok = MHD_queue_response(req->mhd, (unsigned)req->x.status, req->x.response);
	MHD_destroy_response(TAKE(req->x.response));
	return ok;
}

/* Reads what the client still sends, shortly: closing with unread bytes would reset the connection
 * and take the answer away from under the client. */
void
http_reply_linger(int fd)
{
	int64_t deadline = now_monotonic_ms() + LINGER_MS, bytes = 0;
	char waste[16384];

	while (bytes < LINGER_BYTES && deadline_left_ms(deadline) > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, deadline_left_ms(deadline)) <= 0)
			return;
		n = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return;
		bytes += n > 0 ? n : 0;
	}
}

static void
reply_send_raw(int fd, const struct str *raw)
{
	size_t sent = 0;

	while (sent < raw->len) {
		ssize_t n =
			send(fd, raw->data + sent, raw->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		/* A few hundred bytes always fit, but for a client that reads nothing. */
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	shutdown(fd, SHUT_WR);
}

static void
reply_put_status_line(struct str *raw, int status)
{
	const char *words = http_status_words(status);

	str_printf(raw, "HTTP/1.1 %d %s\r\n", status, words);
}

void
http_reply_raw(struct http_request *req, int status, const char *body, size_t len,
	       const char *extra)
{
	SCOPED(str_free) struct str raw = STR_MAX(RAW_MAX);

	reply_put_status_line(&raw, status);
	str_printf(&raw, "Content-Length: %zu\r\nConnection: close\r\n", len);
	if (extra)
		str_puts(&raw, extra);
	else
		str_printf(&raw, "Content-Type: %s\r\nX-Request-Id: %s\r\n", html, req->x.id);
	str_puts(&raw, "\r\n");
	if (!req->x.head)
		str_append(&raw, body, len);
	req->x.answered = true;
	req->x.status = status;
	req->x.queued = true;
	if (str_error(&raw, NULL) < 0)
		return;
	reply_send_raw(req->watch.fd, &raw);
	http_reply_linger(req->watch.fd);
}

static enum MHD_Result
reply_put_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	if (strcasecmp(key, "Connection") != 0 && strcasecmp(key, "Content-Length") != 0)
		str_printf(arg, "%s: %s\r\n", key, value);
	return MHD_YES;
}

void
http_reply_raw_pending(struct http_request *req)
{
	SCOPED(str_free) struct str extra = STR_MAX(RAW_MAX / 2);

	if (!req->x.response || req->x.queued)
		return;
	str_puts(&extra, "");
	MHD_get_response_headers(req->x.response, reply_put_header, &extra);
	http_reply_raw(req, req->x.status, req->x.early_body, req->x.early_len, str_text(&extra));
}

void
http_refuse_connection(int fd)
{
	SCOPED(str_free) struct str raw = STR_MAX(1024);
	const char *words = http_status_words(503);
	char id[17];

	random_hex(id, 16);
	reply_put_status_line(&raw, 503);
	str_printf(&raw, "Content-Length: %zu\r\nContent-Type: %s\r\nRetry-After: 1\r\n",
		   strlen(words), html);
	str_printf(&raw, "X-Request-Id: %s\r\nConnection: close\r\n\r\n%s", id, words);
	if (str_error(&raw, NULL) == 0)
		reply_send_raw(fd, &raw);
}
