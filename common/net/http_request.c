#include "net/http_private.h"

#include <string.h>

#include "base/text/str.h"

const char *
http_header(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
}

struct query {
	const char *name, *value;
	size_t len;
	bool found;
};

/* MHD's own look-up ignores case; names in a query do not. */
static enum MHD_Result
request_match_query(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_len,
		    const char *value, size_t value_len)
{
	struct query *q = arg;

	(void)kind;
	if (key_len != strlen(q->name) || memcmp(key, q->name, key_len) != 0)
		return MHD_YES;
	q->found = true;
	q->value = value ? value : "";
	q->len = value ? value_len : 0;
	return MHD_NO;
}

static struct query
request_find_query(const struct http_request *req, const char *name)
{
	struct query q = { .name = name };

	MHD_get_connection_values_n(req->mhd, MHD_GET_ARGUMENT_KIND, request_match_query, &q);
	return q;
}

const char *
http_query(const struct http_request *req, const char *name)
{
	struct query q = request_find_query(req, name);

	return q.found ? q.value : NULL;
}

bool
http_query_has_nul(const struct http_request *req, const char *name)
{
	struct query q = request_find_query(req, name);

	return q.found && memchr(q.value, '\0', q.len) != NULL;
}

const char *
http_path_tail(const struct http_request *req)
{
	return req->x.tail ? req->x.tail : "";
}

const char *
http_client_address(const struct http_request *req)
{
	return req->x.client;
}

const char *
http_request_id(const struct http_request *req)
{
	return req->x.id;
}

bool
http_is_head(const struct http_request *req)
{
	return req->x.head;
}

int64_t
http_content_length(const struct http_request *req)
{
	return req->x.content_length;
}

void
http_set_state(struct http_request *req, void *state, void (*free_state)(void *))
{
	if (req->x.state && req->x.free_state && req->x.state != state)
		req->x.free_state(req->x.state);
	req->x.state = state;
	req->x.free_state = free_state;
}

void *
http_state(const struct http_request *req)
{
	return req->x.state;
}

bool
http_answered(const struct http_request *req)
{
	return req->x.answered;
}
