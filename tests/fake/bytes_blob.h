/* A reader over bytes and a writer into bytes, with faults to order: what an encoder is given. */
#ifndef TONEARM_FAKE_BYTES_BLOB_H
#define TONEARM_FAKE_BYTES_BLOB_H

#include "base/text/str.h"
#include "port/blob_store.h"

struct bytes_reader {
	struct blob_reader port; /* need not be closed */
	const uint8_t *bytes;
	size_t len, position;
	int fail;         /* every read from now on answers this code; 0 = none */
	int64_t furthest; /* end of the furthest byte that was read */
};
struct bytes_writer {
	struct blob_writer port; /* need not be closed */
	struct str bytes;        /* freed by the test */
	int fail;                /* as above, for writes */
};
struct bytes_reader bytes_reader_over(const void *bytes, size_t len);
struct bytes_writer bytes_writer_new(void);

#endif
