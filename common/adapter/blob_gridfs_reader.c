/* Reading a blob: a window of chunks is fetched by one query and its client given back at once, so
 * that a slow reader holds memory of its own and nothing shared. The window is one chunk after a
 * seek (a demuxer jumps about) and doubles while reading goes straight on. */
#include "adapter/blob_gridfs_private.h"

#include <string.h>

#include "base/clock.h"

#define WINDOW_BYTES (512 * 1024)
#define WINDOW_CHUNKS 2
#define QUICK_FAILURE_MS 500

struct gridfs_reader {
	struct blob_reader port;
	struct blob_gridfs *store;
	int64_t position; /* bytes */
	int64_t first;    /* position of the window */
	uint8_t *window;  /* owned */
	size_t cap, filled;
	int64_t next_chunk; /* the chunk behind the window */
	int run;            /* chunks to fetch next */
};

static struct gridfs_reader *
reader_of(struct blob_reader *r)
{
	return CONTAINER_OF(r, struct gridfs_reader, port);
}

static int64_t
chunk_length(const struct blob_info *info, int64_t n)
{
	int64_t left = info->length - n * info->chunk_size;

	return left < info->chunk_size ? left : info->chunk_size;
}

/* Appends one chunk to the window; it must be exactly what the files document promises. */
static int
take_chunk(struct gridfs_reader *r, const bson_t *doc, int64_t n, struct err *e)
{
	const struct blob_info *info = &r->port.info;
	int64_t want = chunk_length(info, n);
	const uint8_t *data = NULL;
	bson_subtype_t subtype;
	bson_iter_t it;
	uint32_t len = 0;
	int64_t number;

	if (!bson_iter_init_find(&it, doc, "n") || !gridfs_whole(&it, &number) || number != n)
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", info->id.hex,
			       (long long)n);
	if (!bson_iter_init_find(&it, doc, "data") || !BSON_ITER_HOLDS_BINARY(&it))
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld has no data", info->id.hex,
			       (long long)n);
	bson_iter_binary(&it, &subtype, &len, &data);
	if ((int64_t)len != want || r->filled + len > r->cap)
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld has %u bytes", info->id.hex,
			       (long long)n, len);
	memcpy(r->window + r->filled, data, len);
	r->filled += len;
	return 0;
}

static bson_t *
window_filter(const struct gridfs_reader *r, int64_t from, int64_t to)
{
	bson_oid_t id;

	bson_oid_init_from_string(&id, r->port.info.id.hex);
	return BCON_NEW("files_id", BCON_OID(&id), "n", "{", "$gte", BCON_INT64(from), "$lt",
			BCON_INT64(to), "}");
}

static int
fetch_once(struct gridfs_reader *r, int64_t from, int64_t to, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = window_filter(r, from, to);
	SCOPED(gridfs_bson_free_p)
	bson_t *options =
		BCON_NEW("sort", "{", "n", BCON_INT32(1), "}", "limit", BCON_INT64(to - from),
			 "batchSize", BCON_INT32((int32_t)(to - from)), "projection", "{", "_id",
			 BCON_INT32(0), "files_id", BCON_INT32(0), "}");
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	bson_error_t error;
	int64_t n = from;
	int rc;

	if ((rc = gridfs_begin(r->store, &s, e)) < 0)
		return rc;
	r->filled = 0;
	cursor = mongoc_collection_find_with_opts(s.chunks, filter, options, NULL);
	while (rc == 0 && mongoc_cursor_next(cursor, &doc))
		rc = take_chunk(r, doc, n++, e);
	if (rc == 0 && mongoc_cursor_error(cursor, &error))
		rc = mongo_err(e, &error, "read chunks");
	else if (rc == 0 && n != to)
		rc = err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", r->port.info.id.hex,
			     (long long)n);
	mongoc_cursor_destroy(cursor);
	return rc;
}

/* A connection that died while it was idle is noticed only by using it: such a failure is quick,
 * and worth one more try. A slow one has used up the deadline. */
static int
fetch(struct gridfs_reader *r, int64_t from, int64_t to, struct err *e)
{
	int64_t began = now_monotonic_ms();
	int rc = fetch_once(r, from, to, e);

	if (err_is_transient(rc) && now_monotonic_ms() - began < QUICK_FAILURE_MS)
		rc = fetch_once(r, from, to, e);
	if (rc < 0)
		r->filled = 0;
	return rc;
}

static int
reserve(struct gridfs_reader *r, size_t size, struct err *e)
{
	uint8_t *window;

	if (size <= r->cap)
		return 0;
	if ((window = realloc(r->window, size)) == NULL)
		return err_set(e, ERR_NO_MEMORY, "read window");
	r->window = window;
	r->cap = size;
	return 0;
}

static int64_t
window_end(const struct gridfs_reader *r, int64_t from)
{
	const struct blob_info *info = &r->port.info;
	int64_t chunks = (info->length + info->chunk_size - 1) / info->chunk_size;
	int64_t fits = WINDOW_BYTES / info->chunk_size;
	int64_t run = r->run < fits ? r->run : fits;

	if (run < 1)
		run = 1;
	return from + run < chunks ? from + run : chunks;
}

/* Fetches the window that holds the position. */
static int
refill(struct gridfs_reader *r, struct err *e)
{
	int64_t from = r->position / r->port.info.chunk_size, to;
	int rc;

	r->run = from == r->next_chunk && r->filled > 0 ? r->run * 2 : r->position == 0 ? 2 : 1;
	if (r->run > WINDOW_CHUNKS)
		r->run = WINDOW_CHUNKS;
	to = window_end(r, from);
	if ((rc = reserve(r, (size_t)(to - from) * (size_t)r->port.info.chunk_size, e)) < 0 ||
	    (rc = fetch(r, from, to, e)) < 0)
		return rc;
	r->first = from * r->port.info.chunk_size;
	r->next_chunk = to;
	return 0;
}

static int
reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct gridfs_reader *r = reader_of(port);
	size_t at;
	int rc;

	if (r->position >= port->info.length || size == 0) {
		*ret_got = 0;
		return 0;
	}
	if (r->filled == 0 || r->position < r->first ||
	    r->position >= r->first + (int64_t)r->filled)
		if ((rc = refill(r, e)) < 0)
			return rc;
	at = (size_t)(r->position - r->first);
	if (size > r->filled - at)
		size = r->filled - at;
	memcpy(to, r->window + at, size);
	r->position += (int64_t)size;
	*ret_got = size;
	return 0;
}

static int
reader_seek(struct blob_reader *port, int64_t offset, struct err *e)
{
	if (offset < 0 || offset > port->info.length)
		return err_set(e, ERR_INVALID, "seek outside the blob");
	reader_of(port)->position = offset;
	return 0;
}

static void
reader_close(struct blob_reader *port)
{
	struct gridfs_reader *r = reader_of(port);

	free(r->window);
	free(r);
}

static const struct blob_reader_ops reader_ops = {
	.read = reader_read,
	.seek = reader_seek,
	.close = reader_close,
};

int
gridfs_reader_new(struct blob_gridfs *g, const struct blob_info *info, struct blob_reader **ret,
		  struct err *e)
{
	struct gridfs_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return err_set(e, ERR_NO_MEMORY, "blob reader");
	r->port.ops = &reader_ops;
	r->port.info = *info;
	r->store = g;
	*ret = &r->port;
	return 0;
}
