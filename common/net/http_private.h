/* What the files of the HTTP server share. One struct http_request per connection: MHD serves the
 * requests of a connection one after the other on one thread, so its exchange part starts over. */
#ifndef TONEARM_NET_HTTP_PRIVATE_H
#define TONEARM_NET_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "net/http_server.h"

/* MHD's memory per connection: head, and body pieces. */
#define HTTP_POOL_BYTES ((size_t)64 * 1024)
#define HTTP_HEAD_MAX ((size_t)32 * 1024)
#define HTTP_STACK_BYTES ((size_t)128 * 1024)
#define HTTP_STREAM_BLOCK ((size_t)256 * 1024)
#define HTTP_RATE_WINDOW_MS 30000
#define HTTP_ADDRESS_MAX 64
#define HTTP_ID_MAX 64
#define HTTP_CIDR_MAX 64

/* Whom a connection waits for, and so which deadline holds. */
enum http_phase {
	HTTP_PHASE_HEAD,    /* the first head, since the accept */
	HTTP_PHASE_IDLE,    /* keep-alive, no byte of the next head yet */
	HTTP_PHASE_NEXT,    /* a later head, since its first byte was seen */
	HTTP_PHASE_BODY,    /* the client's body */
	HTTP_PHASE_DISCARD, /* the rest of a refused body */
	HTTP_PHASE_HANDLER, /* our own code: no deadline here */
	HTTP_PHASE_REPLY,   /* the client takes the answer */
	HTTP_PHASE_REFUSED, /* over the connection limit */
	HTTP_PHASE_SHUT,    /* shut by the reaper or the drain */
};

/* Under the server's lock, but for fd, which is set once and open until http_watch_remove. */
struct http_watch {
	struct http_watch *prev, *next;
	int fd;
	enum http_phase phase;
	int64_t since;                   /* start of the phase, or the last progress in it */
	uint64_t bytes_seen;             /* of the kernel's counters, to see progress */
	int64_t waited_ms, window_bytes; /* of the body's rate, in time spent on the client only */
};

/* Everything about the request under way; zeroed between requests. */
struct http_exchange {
	const char *uri; /* where it stood, for http_guard_head; its bytes have changed since */
	size_t uri_len;
	bool uri_bad;
	const char *method, *path, *version;
	const struct http_route *route;
	const char *tail;
	int64_t started, content_length, bytes_in, bytes_out;
	int64_t discard_started, discarded;
	int64_t file_size;   /* bytes of a file that the kernel sends; 0 = none */
	uint64_t file_acked; /* what the client had acknowledged before it */
	char id[HTTP_ID_MAX + 1];
	char client[HTTP_ADDRESS_MAX];
	bool begun, head, expects, has_body, answered, queued, cut;
	int status;
	struct MHD_Response *response;
	char *early_body; /* kept while the request's body is still coming */
	size_t early_len;
	void *state;
	void (*free_state)(void *);
};

struct http_request {
	struct http_watch watch; /* first member */
	struct http_server *server;
	struct MHD_Connection *mhd;
	bool refused; /* over the limit; set once */
	char peer[HTTP_ADDRESS_MAX];
	struct http_exchange x;
};

struct http_cidr {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	int bits;
};

struct http_server {
	/* set once */
	struct http_server_config config;
	struct MHD_Daemon *daemon;
	int port, listen_fd;
	struct http_cidr trusted[HTTP_CIDR_MAX];
	size_t trusted_count;
	int64_t rate_window_ms;
	pthread_t reaper;
	bool reaper_runs;
	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a connection ended */
	pthread_cond_t reap;    /* stopping was set */
	struct http_watch *watches;
	int connections; /* served ones: those over the limit do not count */
	bool stopping;
	atomic_bool draining;
};

/* http_server.c: what MHD calls. */
struct http_request *http_request_of(struct MHD_Connection *mhd);

/* http_dispatch.c: a request's way through its route. */
enum MHD_Result http_dispatch(struct http_request *req, const char *data, size_t *len);
void http_dispatch_done(struct http_request *req, enum MHD_RequestTerminationCode how);

/* http_guard.c. The raw target, before MHD takes it apart in place. */
void http_guard_uri(struct http_request *req, const char *uri);
/* 0, or the status with which the head is refused and the connection closed. */
int http_guard_head(struct http_request *req);

/* http_reply.c */
/* The response becomes the answer, with the head's lines; NULL: none could be made. */
void http_reply_take(struct http_request *req, const struct http_reply *head,
		     struct MHD_Response *response);
enum MHD_Result http_reply_queue(struct http_request *req);
/* Bytes of the body that went out; of a file that was cut off, those that the client has. */
int64_t http_reply_bytes_out(const struct http_request *req, enum MHD_RequestTerminationCode how);
/* Past MHD, for the cases in which it takes no response: sends, ends our side, and reads on shortly
 * so that the client sees the answer instead of a reset. */
void http_reply_raw(struct http_request *req, int status, const char *body, size_t len,
		    const char *extra);
void http_reply_raw_pending(struct http_request *req);
/* Reads what the client still sends, for a second at most: see http_reply_raw. */
void http_reply_linger(int fd);
void http_refuse_connection(int fd);
bool http_reply_draining(const struct http_request *req);

/* http_reaper.c */
uint64_t http_watch_acked(const struct http_watch *w); /* bytes that the client has taken */
int http_reaper_start(struct http_server *s, struct err *e);
void http_reaper_stop(struct http_server *s);
void http_watch_add(struct http_server *s, struct http_watch *w);
void http_watch_remove(struct http_server *s, struct http_watch *w);
void http_watch_phase(struct http_server *s, struct http_watch *w, enum http_phase phase);
/* The next head of a kept connection begins, if it was not seen yet. */
void http_watch_next(struct http_server *s, struct http_watch *w);
/* The client gave n bytes of its body; our code works on them now. */
void http_watch_body(struct http_server *s, struct http_watch *w, size_t n);
/* Shuts what waits for a request (all = everything, some at a time); the number of connections
 * left. */
enum http_shut { HTTP_SHUT_IDLE, HTTP_SHUT_ALL };
int http_watch_shut(struct http_server *s, enum http_shut which);

/* http_forwarded.c */
int http_trusted_parse(const char *list, struct http_cidr ret[HTTP_CIDR_MAX], size_t *ret_count,
		       struct err *e);
void http_peer_text(const struct sockaddr *from, char to[HTTP_ADDRESS_MAX]);
void http_client_find(struct http_request *req);

#endif
