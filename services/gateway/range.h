/* Byte ranges and entity tags of RFC 9110 (sections 13 and 14), as far as a write-once file needs
 * them. */
#ifndef TONEARM_GATEWAY_RANGE_H
#define TONEARM_GATEWAY_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum range_kind {
	/* no Range, not bytes, malformed, or several: the whole file is a right answer */
	RANGE_WHOLE,
	RANGE_PART,          /* first .. first + length - 1 */
	RANGE_UNSATISFIABLE, /* starts behind the end: 416 */
};
struct range {
	enum range_kind kind;
	int64_t first, length; /* bytes */
};

/* header: the value of Range (NULL = absent); size: of the file. */
struct range range_parse(const char *header, int64_t size);
/* Whether an If-None-Match or If-Range list holds etag (with its quotes) or is "*". ETAG_WEAK: W/
 * prefixes count too. */
enum etag_compare { ETAG_STRONG, ETAG_WEAK };
bool etag_listed(const char *header, const char *etag, enum etag_compare how);

#endif
