/* The gateway's use cases: what a client may ask, in terms of ports alone. main.c wires them.
 * Threads: handlers run on the connection's thread; a struct gateway is set once and then only
 * read. */
#ifndef TONEARM_GATEWAY_GATEWAY_H
#define TONEARM_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/relay.h"
#include "net/http_server.h"
#include "port/blob_store.h"
#include "port/identity.h"
#include "port/job_desk.h"
#include "port/job_life.h"

/* A multipart body around a file: heads, boundaries and fields beside it. */
#define MULTIPART_FRAME_ALLOWANCE (1024 * 1024)

struct gateway {
	/* borrowed */
	struct identity *identity;
	struct blob_store *videos, *mp3s;
	struct job_life *jobs;
	struct job_desk *desk;

	struct relay_announcer announcer; /* how an upload becomes a message */

	/* 0 = no limit */
	int64_t max_upload_bytes; /* of the file */
	int64_t max_stored_bytes; /* of one user */
	int64_t max_queued_jobs;  /* of one user, that have not ended */

	/* Blobs without an owner are served to any valid token, as MsgQ does. */
	bool allow_ownerless;
};

extern const struct http_route gateway_routes[];
extern const size_t gateway_route_count;

void gateway_login(struct http_request *req, void *gateway);
void gateway_upload_begin(struct http_request *req, void *gateway);
void gateway_upload_body(struct http_request *req, void *gateway, const char *data, size_t len);
void gateway_upload_end(struct http_request *req, void *gateway);
void gateway_download(struct http_request *req, void *gateway);
void gateway_job(struct http_request *req, void *gateway);

#endif
