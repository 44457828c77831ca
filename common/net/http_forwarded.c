#include "net/http_private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text/str.h"

#define FORWARDED_MAX 2048
#define HOPS_MAX 64

/* IPv4 in its IPv6 form, so that one comparison serves both. */
static bool
forwarded_address_parse(const char *text, uint8_t ret[16], bool *ret_v4)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memset(ret, 0, 10);
		memset(ret + 10, 0xff, 2);
		memcpy(ret + 12, &v4, 4);
		*ret_v4 = true;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(ret, &v6, 16);
	*ret_v4 = false;
	return true;
}

static int
forwarded_cidr_parse(char *text, struct http_cidr *ret, struct err *e)
{
	char *slash = strchr(text, '/');
	long long bits;
	bool v4;

	if (slash)
		*slash = '\0';
	if (!forwarded_address_parse(text, ret->bytes, &v4))
		return err_set(e, ERR_INVALID,
			       "\"%.60s\" is no address or network such as 10.0.0.0/8", text);
	bits = v4 ? 32 : 128;
	if (slash && parse_int(slash + 1, 0, bits, &bits, e) < 0)
		return err_set(e, ERR_INVALID, "%.60s/%.10s: the prefix is not in 0 to %d", text,
			       slash + 1, v4 ? 32 : 128);
	ret->bits = (int)bits + (v4 ? 96 : 0);
	return 0;
}

int
http_trusted_parse(const char *list, struct http_cidr ret[HTTP_CIDR_MAX], size_t *ret_count,
		   struct err *e)
{
	char word[128];
	size_t count = 0;
	int r;

	for (const char *p = list ? list : ""; *p != '\0';) {
		size_t len = strcspn(p, ", \t");

		if (len == 0) {
			p++;
			continue;
		}
		if (len >= sizeof word || count == HTTP_CIDR_MAX)
			return err_set(e, ERR_INVALID, "more than %d networks, or a longer one",
				       HTTP_CIDR_MAX);
		memcpy(word, p, len);
		word[len] = '\0';
		if ((r = forwarded_cidr_parse(word, &ret[count], e)) < 0)
			return r;
		count++;
		p += len;
	}
	*ret_count = count;
	return 0;
}

int
http_trusted_check(const char *list, struct err *e)
{
	struct http_cidr networks[HTTP_CIDR_MAX];
	size_t count;

	return http_trusted_parse(list, networks, &count, e);
}

static bool
forwarded_cidr_holds(const struct http_cidr *c, const uint8_t address[16])
{
	int whole = c->bits / 8, rest = c->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (memcmp(c->bytes, address, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((c->bytes[whole] ^ address[whole]) & mask) == 0;
}

static bool
forwarded_is_trusted(const struct http_server *s, const char *text)
{
	uint8_t address[16];
	bool v4;

	if (!forwarded_address_parse(text, address, &v4))
		return false;
	for (size_t i = 0; i < s->trusted_count; i++)
		if (forwarded_cidr_holds(&s->trusted[i], address))
			return true;
	return false;
}

void
http_peer_text(const struct sockaddr *from, char to[HTTP_ADDRESS_MAX])
{
	to[0] = '\0';
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;

		inet_ntop(AF_INET, &v4->sin_addr, to, HTTP_ADDRESS_MAX);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;

		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], to, HTTP_ADDRESS_MAX);
		else
			inet_ntop(AF_INET6, &v6->sin6_addr, to, HTTP_ADDRESS_MAX);
	}
}

struct forwarded {
	char text[FORWARDED_MAX];
	size_t len;
	bool overflow;
};

/* Several lines of the header are one list, in their order. */
static enum MHD_Result
forwarded_collect_hops(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct forwarded *f = arg;
	int n;

	(void)kind;
	if (strcasecmp(key, "X-Forwarded-For") != 0 || !value)
		return MHD_YES;
	n = snprintf(f->text + f->len, sizeof f->text - f->len, "%s%s", f->len ? "," : "", value);
	if (n < 0 || (size_t)n >= sizeof f->text - f->len) {
		f->overflow = true;
		return MHD_NO;
	}
	f->len += (size_t)n;
	return MHD_YES;
}

/* "203.0.113.9", "203.0.113.9:80", "2001:db8::1" or "[2001:db8::1]:80" -> the bare address. */
static bool
forwarded_hop_address(const char *from, size_t len, char ret[HTTP_ADDRESS_MAX])
{
	uint8_t bytes[16];
	char text[HTTP_ADDRESS_MAX], *colon, *bracket;
	const char *start = text;
	bool v4;

	while (len > 0 && (*from == ' ' || *from == '\t'))
		from++, len--;
	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
		len--;
	if (len == 0 || len >= sizeof text)
		return false;
	memcpy(text, from, len);
	text[len] = '\0';
	if (*text == '[' && (bracket = strchr(text, ']'))) {
		*bracket = '\0';
		start = text + 1;
	} else if ((colon = strchr(text, ':')) && !strchr(colon + 1, ':')) {
		*colon = '\0';
	}
	if (!forwarded_address_parse(start, bytes, &v4))
		return false;
	memmove(ret, start, strlen(start) + 1);
	return true;
}

/* From the right, each hop is believed as long as the one that named it is trusted. */
void
http_client_find(struct http_request *req)
{
	struct forwarded f = { .len = 0 };
	char hop[HTTP_ADDRESS_MAX];
	size_t end;

	memcpy(req->x.client, req->peer, sizeof req->x.client);
	if (req->server->trusted_count == 0 || !forwarded_is_trusted(req->server, req->peer))
		return;
	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, forwarded_collect_hops, &f);
	if (f.overflow)
		return;
	end = f.len;
	for (int hops = 0; end > 0 && hops < HOPS_MAX; hops++) {
		size_t start = end;

		while (start > 0 && f.text[start - 1] != ',')
			start--;
		if (!forwarded_hop_address(f.text + start, end - start, hop))
			return;
		memcpy(req->x.client, hop, sizeof hop);
		if (!forwarded_is_trusted(req->server, hop))
			return;
		end = start > 0 ? start - 1 : 0;
	}
}

bool
http_client_known(const struct http_request *req)
{
	return http_header(req, "X-Forwarded-For") || !forwarded_is_trusted(req->server, req->peer);
}
