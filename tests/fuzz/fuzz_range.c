/* Fuzz target: Range, If-Range and If-None-Match. Eight bytes of size, then the header. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/range.h"

#define ETAG "\"65f0ab65f065f065f065f065\""

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct range range;
	uint64_t bits;
	int64_t length;
	char *header;

	if (size < sizeof bits || (header = malloc(size - sizeof bits + 1)) == NULL)
		return 0;
	memcpy(&bits, data, sizeof bits);
	length = (int64_t)(bits >> 1);
	memcpy(header, data + sizeof bits, size - sizeof bits);
	header[size - sizeof bits] = '\0';
	range = range_parse(header, length);
	if (range.kind == RANGE_PART &&
	    (range.first < 0 || range.length < 1 || range.first > length ||
	     range.length > length - range.first))
		abort();
	/* What is listed strongly is listed weakly too, but for "*". */
	if (etag_listed(header, ETAG, ETAG_STRONG) && !etag_listed(header, ETAG, ETAG_WEAK))
		abort();
	if (etag_listed(header, ETAG, ETAG_STRONG) && strstr(header, ETAG) == NULL)
		abort();
	free(header);
	return 0;
}
