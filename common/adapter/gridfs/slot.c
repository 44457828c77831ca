/* One chunk document in a buffer that grows with its data up to a whole chunk. */
#include "adapter/gridfs/private.h"

#include <string.h>

#define SLOT_ID_AT 9
#define SLOT_FIRST 16384 /* a small upload is cheap */

static void
slot_put_i32(uint8_t *to, int32_t value)
{
	uint32_t le = BSON_UINT32_TO_LE((uint32_t)value);

	memcpy(to, &le, sizeof le);
}

bson_oid_t
gridfs_slot_id(const struct gridfs_slot *s)
{
	bson_oid_t id;

	memcpy(id.bytes, s->doc + SLOT_ID_AT, sizeof id.bytes);
	return id;
}

/* Lays the document around the data: {_id: oid, files_id: oid, n: int32, data: binary} */
void
gridfs_slot_seal(struct gridfs_slot *s, const struct blob_id *files_id, int32_t n)
{
	bson_oid_t own, files;
	uint8_t *at = s->doc;

	bson_oid_init(&own, NULL);
	bson_oid_init_from_string(&files, files_id->hex);
	slot_put_i32(at, (int32_t)(SLOT_DATA_AT + s->len + 1));
	memcpy(at + 4, "\x07_id", 5);
	memcpy(at + SLOT_ID_AT, own.bytes, 12);
	memcpy(at + 21,
	       "\x07"
	       "files_id",
	       10);
	memcpy(at + 31, files.bytes, 12);
	memcpy(at + 43, "\x10n", 3);
	slot_put_i32(at + 46, n);
	memcpy(at + 50,
	       "\x05"
	       "data",
	       6);
	slot_put_i32(at + 56, (int32_t)s->len);
	at[60] = 0; /* subtype: generic */
	at[SLOT_DATA_AT + s->len] = 0;
}

int
gridfs_slot_reserve(struct gridfs_slot *s, size_t data, struct err *e)
{
	size_t want = s->cap ? s->cap : SLOT_FIRST;
	uint8_t *doc;

	if (SLOT_DATA_AT + data + 1 <= s->cap)
		return 0;
	while (want < SLOT_DATA_AT + data + 1)
		want *= 2;
	if (want > SLOT_DATA_AT + CHUNK_SIZE + 1)
		want = SLOT_DATA_AT + CHUNK_SIZE + 1;
	if (!(doc = realloc(s->doc, want)))
		return err_set(e, ERR_NO_MEMORY, "chunk buffer");
	s->doc = doc;
	s->cap = want;
	return 0;
}
