#include "adapter/gridfs/window.h"

#include "base/clock.h"

#define WIDE_MAX 8 /* at once: what clients that stall can keep of them */
#define QUICK_FAILURE_MS 500

static int64_t
window_chunk_length(const struct blob_info *info, int64_t n)
{
	int64_t left = info->length - n * info->chunk_size;

	return left < info->chunk_size ? left : info->chunk_size;
}

int64_t
gridfs_window_length(const struct gridfs_window *w)
{
	int64_t sum = 0;

	for (int64_t n = w->first; n < w->end; n++)
		sum += window_chunk_length(w->info, n);
	return sum;
}

bool
gridfs_window_holds(const struct gridfs_window *w, int64_t n)
{
	return w->has_reply && n >= w->first && n < w->end;
}

bool
gridfs_window_widen(struct gridfs_window *w)
{
	if (atomic_fetch_add(&w->store->wide_windows, 1) < WIDE_MAX)
		w->wide = true;
	else
		(void)atomic_fetch_sub(&w->store->wide_windows, 1);
	return w->wide;
}

static void
window_empty(struct gridfs_window *w)
{
	if (w->has_reply)
		bson_destroy(&w->reply);
	w->has_reply = false;
}

void
gridfs_window_drop(struct gridfs_window *w)
{
	window_empty(w);
	if (w->wide)
		(void)atomic_fetch_sub(&w->store->wide_windows, 1);
	w->wide = false;
}

/* Adds one chunk to the window; it must be exactly what the files document promises. */
static int
window_take_chunk(struct gridfs_window *w, const bson_iter_t *chunk, int64_t n, struct err *e)
{
	const struct blob_info *info = w->info;
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
	if ((int64_t)len != window_chunk_length(info, n))
		return err_set(e, ERR_CORRUPT, "blob %s: chunk %lld has %u bytes", info->id.hex,
			       (long long)n, len);
	w->pieces[n - w->first].data = data;
	w->pieces[n - w->first].len = len;
	return 0;
}

/* One batch, and no cursor that would hold the client: the command itself instead of the driver's
 * find. */
static bson_t *
window_find_command(const struct gridfs_window *w)
{
	bson_oid_t id;

	bson_oid_init_from_string(&id, w->info->id.hex);
	/* clang-format off */
	return BCON_NEW(
		"find", "fs.chunks",
		"filter", "{",
			"files_id", BCON_OID(&id),
			"n", "{",
				"$gte", BCON_INT64(w->first),
				"$lt", BCON_INT64(w->end),
			"}",
		"}",
		"sort", "{", "n", BCON_INT32(1), "}",
		"limit", BCON_INT64(w->end - w->first),
		"batchSize", BCON_INT64(w->end - w->first),
		"singleBatch", BCON_BOOL(true));
	/* clang-format on */
}

static int
window_take_reply(struct gridfs_window *w, struct err *e)
{
	bson_iter_t it, batch, chunk;
	int64_t n = w->first;
	int rc = 0;

	if (!bson_iter_init(&it, &w->reply) ||
	    !bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) ||
	    !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &chunk))
		return err_set(e, ERR_INTERNAL, "mongodb: read chunks: a reply without a batch");
	while (rc == 0 && n < w->end && bson_iter_next(&chunk))
		rc = window_take_chunk(w, &chunk, n++, e);
	if (rc == 0 && n != w->end)
		rc = err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", w->info->id.hex,
			     (long long)n);
	return rc;
}

static int
window_fetch_once(struct gridfs_window *w, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = window_find_command(w);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int rc;

	if ((rc = gridfs_begin(w->store, &s, e)) < 0)
		return rc;
	window_empty(w);
	w->has_reply = true; /* the driver initialises it, also when it fails */
	if (!mongoc_client_read_command_with_opts(s.client, w->store->database, command, NULL, NULL,
						  &w->reply, &error))
		return mongo_err(e, &error, "read chunks");
	return window_take_reply(w, e);
}

/* A connection that died while it was idle is noticed only by using it: such a failure is quick,
 * and worth one more try. A slow one has used up the deadline. */
int
gridfs_window_fetch(struct gridfs_window *w, struct err *e)
{
	int64_t began = now_monotonic_ms();
	int rc = window_fetch_once(w, e);

	if (err_is_transient(rc) && now_monotonic_ms() - began < QUICK_FAILURE_MS)
		rc = window_fetch_once(w, e);
	if (rc < 0)
		gridfs_window_drop(w);
	return rc;
}
