/* Fuzz target: the list of trusted proxies (first line), the peer's address (second), and the lines
 * of X-Forwarded-For (the rest). libmicrohttpd's look-ups are this file's own. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_private.h"

#define LINES_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *lines[LINES_MAX];
static int count;

int
MHD_get_connection_values(struct MHD_Connection *mhd, enum MHD_ValueKind kind,
			  MHD_KeyValueIterator each, void *arg)
{
	(void)mhd;
	for (int i = 0; i < count; i++)
		if (each(arg, kind, "X-Forwarded-For", lines[i]) != MHD_YES)
			break;
	return count;
}

const char *
MHD_lookup_connection_value(struct MHD_Connection *mhd, enum MHD_ValueKind kind, const char *name)
{
	(void)mhd;
	(void)kind;
	(void)name;
	return count > 0 ? lines[0] : NULL;
}

static bool
is_address(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Cuts the next line off text; "" at its end. */
static char *
next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	*text = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

static void
find(struct http_request *req, char *text)
{
	for (count = 0; *text != '\0' && count < LINES_MAX; count++)
		lines[count] = next_line(&text);
	http_client_find(req);
	/* A client is named by its address or, where nothing is to be believed, by its peer's. */
	if (strcmp(req->x.client, req->peer) != 0 && !is_address(req->x.client))
		abort();
	(void)http_client_known(req);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_server server;
	static struct http_request req;
	char *text = malloc(size + 1), *rest = text, *peer;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&server, 0, sizeof server);
	memset(&req, 0, sizeof req);
	req.server = &server;
	if (http_trusted_parse(next_line(&rest), server.trusted, &server.trusted_count, NULL) ==
	    0) {
		for (size_t i = 0; i < server.trusted_count; i++)
			if (server.trusted[i].bits < 0 || server.trusted[i].bits > 128)
				abort();
		peer = next_line(&rest);
		(void)snprintf(req.peer, sizeof req.peer, "%s",
			       is_address(peer) ? peer : "10.0.0.1");
		find(&req, rest);
	}
	free(text);
	return 0;
}
