/* Bodies that come piece by piece. MHD sends what a read has put into its block. What is lent goes
 * past MHD, whose block would be a second copy: a tenth of the processor time of a long download.
 * MHD cannot be told of bytes that it did not send, so that such a reply ends the connection. */
#include "net/http_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PUSH_LOOK_MS 1000

struct stream {
	struct http_request *req;
	http_read read; /* or lend */
	http_lend lend;
	void (*free_arg)(void *);
	void *arg;
	int64_t left; /* of what is lent */
};

static ssize_t
stream_read(void *arg, uint64_t at, char *to, size_t max)
{
	struct stream *stream = arg;
	struct http_request *req = stream->req;
	int64_t n;

	(void)at;
	http_watch_phase(req->server, &req->watch, HTTP_PHASE_HANDLER);
	n = stream->read(stream->arg, to, max);
	http_watch_phase(req->server, &req->watch, HTTP_PHASE_REPLY);
	if (n <= 0 || (uint64_t)n > max)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	req->x.bytes_out += n;
	return (ssize_t)n;
}

/* The reaper shuts the socket of a client that takes too little; then the send fails. */
static int
stream_push(struct http_request *req, const char *data, size_t len)
{
	while (len > 0) {
		struct pollfd p = { .fd = req->watch.fd, .events = POLLOUT };
		ssize_t n = send(p.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			n = poll(&p, 1, PUSH_LOOK_MS) < 0 && errno != EINTR ? -1 : 0;
		else if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
		req->x.bytes_out += n;
	}
	return 0;
}

/* MHD asks once the head is out, and this is the whole body. */
static ssize_t
stream_lend(void *arg, uint64_t at, char *to, size_t max)
{
	struct stream *stream = arg;
	struct http_request *req = stream->req;
	const void *data = NULL;
	int64_t n;

	(void)at;
	(void)to;
	(void)max;
	while (stream->left > 0) {
		http_watch_phase(req->server, &req->watch, HTTP_PHASE_HANDLER);
		n = stream->lend(stream->arg, &data);
		http_watch_phase(req->server, &req->watch, HTTP_PHASE_REPLY);
		if (n <= 0 || n > stream->left || stream_push(req, data, (size_t)n) < 0)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		stream->left -= n;
	}
	(void)shutdown(req->watch.fd, SHUT_WR);
	http_reply_linger(req->watch.fd);
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static void
stream_free(void *arg)
{
	struct stream *stream = arg;

	if (stream->free_arg)
		stream->free_arg(stream->arg);
	free(stream);
}

static void
stream_reply(const struct http_reply *head, int64_t size, size_t block, struct stream given)
{
	struct http_request *req = given.req;
	struct stream *stream = req->x.answered ? NULL : malloc(sizeof *stream);
	struct MHD_Response *response;

	if (!stream) {
		if (given.free_arg)
			given.free_arg(given.arg);
		if (!req->x.answered)
			http_reply_take(req, head, NULL);
		return;
	}
	*stream = given;
	/* HEAD reads nothing: no block of that size for it. */
	response = MHD_create_response_from_callback((uint64_t)size, req->x.head ? 1 : block,
						     given.lend ? stream_lend : stream_read, stream,
						     stream_free);
	if (!response)
		stream_free(stream);
	else if (given.lend && !req->x.head)
		(void)MHD_add_response_header(response, "Connection", "close");
	http_reply_take(req, head, response);
}

void
http_reply_stream(struct http_request *req, const struct http_reply *head, int64_t size,
		  http_read read, void (*free_arg)(void *), void *arg)
{
	size_t block =
		size > 0 && (uint64_t)size < HTTP_STREAM_BLOCK ? (size_t)size : HTTP_STREAM_BLOCK;

	stream_reply(head, size, block,
		     (struct stream){ .req = req, .read = read, .free_arg = free_arg, .arg = arg });
}

void
http_reply_lent(struct http_request *req, const struct http_reply *head, int64_t size,
		http_lend lend, void (*free_arg)(void *), void *arg)
{
	stream_reply(
		head, size, 1,
		(struct stream){
			.req = req, .lend = lend, .free_arg = free_arg, .arg = arg, .left = size });
}
