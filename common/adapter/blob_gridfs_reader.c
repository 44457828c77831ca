/* Reading a blob: a window of chunks is fetched by one query and its client given back at once, so
 * that a slow reader holds memory of its own and nothing shared. The server's reply is the window:
 * a chunk is copied once, to the reader's caller. The window is one chunk after a seek (a demuxer
 * jumps about) and doubles while reading goes straight on. */
#include "adapter/blob_gridfs_private.h"

#include <string.h>

#include "base/clock.h"

#define WINDOW_BYTES (2 * CHUNK_SIZE)
#define WINDOW_CHUNKS 64 /* of foreign blobs with small ones */
#define QUICK_FAILURE_MS 500

struct gridfs_reader {
	struct blob_reader port;
	struct blob_gridfs *store;
	int64_t position; /* bytes */
	bson_t reply;     /* the pieces point into it */
	bool has_reply;
	struct {
		const uint8_t *data;
		uint32_t len;
	} pieces[WINDOW_CHUNKS];
	int64_t first_chunk, next_chunk; /* of the window, and the one behind it */
	int64_t run;                     /* chunks to fetch next */
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

static void
drop_window(struct gridfs_reader *r)
{
	if (r->has_reply)
		bson_destroy(&r->reply);
	r->has_reply = false;
}

/* Adds one chunk to the window; it must be exactly what the files document promises. */
static int
take_chunk(struct gridfs_reader *r, const bson_iter_t *chunk, int64_t n, struct err *e)
{
	const struct blob_info *info = &r->port.info;
	const uint8_t *data = NULL;
	bson_iter_t doc, it;
	uint32_t len = 0;
	int64_t number;

	if (!BSON_ITER_HOLDS_DOCUMENT(chunk) || !bson_iter_recurse(chunk, &doc))
		return err_set(e, ERR_CORRUPT, "blob %s: a chunk is no document", info->id.hex);
	it = doc;
	if (!bson_iter_find(&it, "n") || !gridfs_whole(&it, &number) || number != n)
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", info->id.hex,
			       (long long)n);
	it = doc;
	if (!bson_iter_find(&it, "data") || !BSON_ITER_HOLDS_BINARY(&it))
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld has no data", info->id.hex,
			       (long long)n);
	bson_iter_binary(&it, NULL, &len, &data);
	if ((int64_t)len != chunk_length(info, n))
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld has %u bytes", info->id.hex,
			       (long long)n, len);
	r->pieces[n - r->first_chunk].data = data;
	r->pieces[n - r->first_chunk].len = len;
	return 0;
}

/* One batch, and no cursor that would hold the client: the command itself instead of the driver's
 * find. */
static bson_t *
find_command(const struct gridfs_reader *r, int64_t from, int64_t to)
{
	bson_oid_t id;

	bson_oid_init_from_string(&id, r->port.info.id.hex);
	return BCON_NEW("find", "fs.chunks", "filter", "{", "files_id", BCON_OID(&id), "n", "{",
			"$gte", BCON_INT64(from), "$lt", BCON_INT64(to), "}", "}", "sort", "{", "n",
			BCON_INT32(1), "}", "limit", BCON_INT64(to - from), "batchSize",
			BCON_INT64(to - from), "singleBatch", BCON_BOOL(true));
}

static int
take_window(struct gridfs_reader *r, int64_t from, int64_t to, struct err *e)
{
	bson_iter_t it, batch, chunk;
	int64_t n = from;
	int rc = 0;

	if (!bson_iter_init(&it, &r->reply) ||
	    !bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) ||
	    !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &chunk))
		return err_set(e, ERR_INTERNAL, "mongodb: read chunks: a reply without a batch");
	while (rc == 0 && n < to && bson_iter_next(&chunk))
		rc = take_chunk(r, &chunk, n++, e);
	if (rc == 0 && n != to)
		rc = err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", r->port.info.id.hex,
			     (long long)n);
	return rc;
}

static int
fetch_once(struct gridfs_reader *r, int64_t from, int64_t to, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = find_command(r, from, to);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int rc;

	if ((rc = gridfs_begin(r->store, &s, e)) < 0)
		return rc;
	drop_window(r);
	r->has_reply = true; /* the driver initialises it, also when it fails */
	if (!mongoc_client_read_command_with_opts(s.client, r->store->database, command, NULL, NULL,
						  &r->reply, &error))
		return mongo_err(e, &error, "read chunks");
	r->first_chunk = from;
	return take_window(r, from, to, e);
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
		drop_window(r);
	return rc;
}

static int64_t
at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

/* Fetches the window that holds the position. */
static int
refill(struct gridfs_reader *r, struct err *e)
{
	const struct blob_info *info = &r->port.info;
	int64_t chunks = (info->length - 1) / info->chunk_size + 1;
	int64_t from = r->position / info->chunk_size, to;
	int rc;

	r->run = r->has_reply && from == r->next_chunk ? r->run * 2 : r->position == 0 ? 2 : 1;
	r->run = at_most(r->run, at_most(WINDOW_BYTES / info->chunk_size, WINDOW_CHUNKS));
	to = at_most(from + (r->run > 0 ? r->run : 1), chunks);
	if ((rc = fetch(r, from, to, e)) < 0)
		return rc;
	r->next_chunk = to;
	return 0;
}

static int
reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct gridfs_reader *r = reader_of(port);
	int64_t n = r->position / port->info.chunk_size;
	size_t at = (size_t)(r->position % port->info.chunk_size), left;
	int rc;

	if (r->position >= port->info.length || size == 0) {
		*ret_got = 0;
		return 0;
	}
	if ((!r->has_reply || n < r->first_chunk || n >= r->next_chunk) && (rc = refill(r, e)) < 0)
		return rc;
	left = r->pieces[n - r->first_chunk].len - at;
	if (size > left)
		size = left;
	memcpy(to, r->pieces[n - r->first_chunk].data + at, size);
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

	drop_window(r);
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
