#include "gateway/range.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Reads digits at *at; -1 when there are none. A number past 64 bits is the largest one: behind any
 * file's end either way. */
static int64_t
range_take_number(const char **at)
{
	int64_t n = 0;
	bool any = false;

	for (; isdigit((unsigned char)**at); (*at)++, any = true) {
		int digit = **at - '0';

		n = n > (INT64_MAX - digit) / 10 ? INT64_MAX : n * 10 + digit;
	}
	return any ? n : -1;
}

static struct range
range_suffix(int64_t wanted, int64_t size)
{
	if (wanted == 0 || size == 0)
		return (struct range){ .kind = RANGE_UNSATISFIABLE };
	if (wanted > size)
		wanted = size;
	return (struct range){ RANGE_PART, size - wanted, wanted };
}

static struct range
range_bounded(int64_t first, int64_t last, int64_t size)
{
	if (first >= size)
		return (struct range){ .kind = RANGE_UNSATISFIABLE };
	if (last < 0 || last >= size)
		last = size - 1;
	return (struct range){ RANGE_PART, first, last - first + 1 };
}

struct range
range_parse(const char *header, int64_t size)
{
	static const struct range whole = { .kind = RANGE_WHOLE };
	int64_t first = -1, last = -1;
	const char *at;

	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return whole;
	at = header + 6;
	if (*at != '-' && (first = range_take_number(&at)) < 0)
		return whole;
	if (*at++ != '-')
		return whole;
	if (*at != '\0' && (last = range_take_number(&at)) < 0)
		return whole;
	if (*at != '\0') /* several ranges, or trailing text */
		return whole;
	if (first < 0)
		return last < 0 ? whole : range_suffix(last, size);
	if (last >= 0 && last < first)
		return whole;
	return range_bounded(first, last, size);
}

bool
etag_listed(const char *header, const char *etag, enum etag_compare how)
{
	size_t len = strlen(etag);
	const char *at = header;

	if (!header)
		return false;
	if (strcmp(header, "*") == 0)
		return how == ETAG_WEAK;
	while (*at != '\0') {
		const char *end = strchr(at, ',');

		at += strspn(at, " \t");
		if (how == ETAG_WEAK && strncmp(at, "W/", 2) == 0)
			at += 2;
		if (strncmp(at, etag, len) == 0 &&
		    strspn(at + len, " \t") == strcspn(at + len, ","))
			return true;
		if (!end)
			return false;
		at = end + 1;
	}
	return false;
}
