/* Refuses heads that two HTTP implementations may read differently. libmicrohttpd 0.9 forgives most
 * of them, and some it hides: it joins folded lines and takes a bare LF as a line's end. Those show
 * in where its texts stand: it cuts the lines apart in place, so that in a well-formed head each
 * name begins two bytes (the former CRLF) behind the value before it. From 1.0 on it refuses them
 * itself and lays its texts out otherwise; then the places are not looked at. */
#include "net/http_private.h"

#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS 18 /* always fits 63 bits */

struct guard {
	uintptr_t expected; /* where the next name must begin; 0 = places are not looked at */
	const char *end;    /* behind the last line seen */
	size_t bytes;
	int hosts, lengths, encodings, authorizations;
	const char *encoding;
	bool bad;
};

static bool
guard_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", text[i]))
			return false;
	return len > 0;
}

static bool
guard_has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static bool
guard_places_fit(struct guard *g, const char *key, size_t key_len, const char *value,
		 size_t value_len)
{
	uintptr_t k = (uintptr_t)key, v = (uintptr_t)value;

	if (g->expected == 0)
		return true;
	if (k != g->expected || v < k + key_len + 1 || v - k - key_len > HTTP_POOL_BYTES)
		return false;
	for (const char *p = key + key_len + 1; p < value; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	/* The former CRLF; anything else is a NUL within the line, or a bare LF. */
	if (value[value_len] != '\0' || value[value_len + 1] != '\0')
		return false;
	g->expected = v + value_len + 2;
	g->end = value + value_len + 2;
	return true;
}

/* MHD takes a line that begins with a colon for the head's end. A real end is a former CRLF;
 * without a body, what follows it is the next request or the pool's zeroes, but never a zero and
 * then text. */
static bool
guard_ends_well(const struct guard *g, bool has_body)
{
	const char *p = g->end;

	if (!p)
		return true;
	if (p[0] != '\0' || p[1] != '\0')
		return false;
	return has_body || p[2] != '\0' || p[3] == '\0';
}

static void
guard_count_header(struct guard *g, const char *key, const char *value)
{
	if (strcasecmp(key, "Host") == 0) {
		g->hosts++;
	} else if (strcasecmp(key, "Content-Length") == 0) {
		g->lengths++;
		if (*value == '\0' || strspn(value, "0123456789") != strlen(value) ||
		    strlen(value) > LENGTH_DIGITS)
			g->bad = true;
	} else if (strcasecmp(key, "Transfer-Encoding") == 0) {
		g->encodings++;
		g->encoding = value;
	} else if (strcasecmp(key, "Authorization") == 0) {
		g->authorizations++;
	}
}

static enum MHD_Result
guard_check_header(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_len,
		   const char *value, size_t value_len)
{
	struct guard *g = arg;

	(void)kind;
	if (!value || !guard_is_token(key, key_len) || guard_has_control(value, value_len) ||
	    !guard_places_fit(g, key, key_len, value, value_len)) {
		g->bad = true;
		return MHD_NO;
	}
	g->bytes += key_len + value_len + 4;
	guard_count_header(g, key, value);
	return MHD_YES;
}

static bool
guard_request_line_fits(const struct http_exchange *x)
{
	/* A NUL in the line cuts MHD's texts short. */
	return x->uri && x->uri == x->method + strlen(x->method) + 1 &&
	       x->version == x->uri + x->uri_len + 1;
}

void
http_guard_uri(struct http_request *req, const char *uri)
{
	size_t path_len = strcspn(uri, "?");
	struct http_exchange *x = &req->x;

	x->uri = uri;
	x->uri_len = strlen(uri);
	x->uri_bad = guard_has_control(uri, x->uri_len) || strchr(uri, ' ') != NULL;
	for (size_t i = 0; i + 2 < path_len; i++)
		if (memcmp(uri + i, "%00", 3) == 0)
			x->uri_bad = true;
}

int
http_guard_head(struct http_request *req)
{
	struct http_exchange *x = &req->x;
	struct guard g = { .bytes = strlen(x->method) + 2 };
	bool http11 = strcmp(x->version, "HTTP/1.0") != 0;

	if (!guard_request_line_fits(x) || !guard_is_token(x->method, strlen(x->method)) ||
	    x->uri_bad)
		return 400;
	g.bytes += x->uri_len + strlen(x->version) + 4;
	if (strncmp(MHD_get_version(), "0.", 2) == 0)
		g.expected = (uintptr_t)x->version + strlen(x->version) + 2;
	MHD_get_connection_values_n(req->mhd, MHD_HEADER_KIND, guard_check_header, &g);
	if (g.bad || g.hosts > 1 || (http11 && g.hosts == 0) || g.authorizations > 1)
		return 400;
	if (g.lengths > 1 || g.encodings > 1 || (g.lengths > 0 && g.encodings > 0))
		return 400;
	if (g.encodings > 0 && (!http11 || strcasecmp(g.encoding, "chunked") != 0))
		return 400;
	if (!guard_ends_well(&g, g.lengths > 0 || g.encodings > 0))
		return 400;
	x->has_body = g.encodings > 0;
	return g.bytes > HTTP_HEAD_MAX ? 431 : 0;
}
