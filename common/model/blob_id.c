#include "model/blob_id.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text/hex.h"

#define RANDOM_BYTES 5
#define ID_BYTES (BLOB_ID_DIGITS / 2)

static uint8_t process_bytes[RANDOM_BYTES]; /* set once per process */
static atomic_uint_fast32_t counter;

static void
blob_id_seed(void)
{
	uint32_t start;

	random_bytes(process_bytes, sizeof process_bytes);
	random_bytes(&start, sizeof start);
	atomic_store(&counter, start);
}

/* A forked child must not go on with its parent's series. */
static void
seed_for_good(void)
{
	blob_id_seed();
	(void)pthread_atfork(NULL, NULL, blob_id_seed);
}

int
blob_id_parse(const char *text, struct blob_id *ret)
{
	uint8_t bytes[ID_BYTES];

	if (hex_decode(text, bytes, sizeof bytes) < 0)
		return -1;
	hex_encode(bytes, sizeof bytes, ret->hex);
	return 0;
}

struct blob_id
blob_id_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint32_t now = (uint32_t)(now_unix_ms() / 1000), n;
	uint8_t bytes[ID_BYTES];
	struct blob_id id;

	(void)pthread_once(&once, seed_for_good);
	n = (uint32_t)atomic_fetch_add(&counter, 1);
	bytes[0] = (uint8_t)(now >> 24);
	bytes[1] = (uint8_t)(now >> 16);
	bytes[2] = (uint8_t)(now >> 8);
	bytes[3] = (uint8_t)now;
	memcpy(bytes + 4, process_bytes, RANDOM_BYTES);
	bytes[9] = (uint8_t)(n >> 16);
	bytes[10] = (uint8_t)(n >> 8);
	bytes[11] = (uint8_t)n;
	hex_encode(bytes, sizeof bytes, id.hex);
	return id;
}

bool
blob_id_is_none(const struct blob_id *id)
{
	return id->hex[0] == '\0';
}

bool
blob_id_equal(const struct blob_id *a, const struct blob_id *b)
{
	return strcmp(a->hex, b->hex) == 0;
}
