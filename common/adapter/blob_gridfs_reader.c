/* Reading a blob: a window of chunks is fetched by one query and its client given back at once, so
 * that a slow reader holds memory of its own and nothing shared. The server's reply is the window:
 * a chunk is copied once, to the reader's caller. The window is one chunk after a seek, for a
 * demuxer jumps about and pays for what it does not read. Once reading has gone straight on for
 * some chunks the window gets its full size, and the next one is fetched ahead while this one is
 * handed out. */
#include "adapter/blob_gridfs_private.h"

#include <string.h>

#include "adapter/blob_gridfs_ahead.h"
#include "base/clock.h"

#define WINDOW_BYTES (2 * CHUNK_SIZE)
#define WINDOW_CHUNKS 64 /* of foreign blobs with small ones */
#define QUICK_FAILURE_MS 500
#define STRAIGHT_MIN 2 /* windows in a row, after which reading counts as straight */

/* Chunks from first to end (not included), as the server sent them. */
struct window {
	bson_t reply; /* the pieces point into it */
	bool has_reply;
	int64_t first, end;
	struct {
		const uint8_t *data;
		uint32_t len;
	} pieces[WINDOW_CHUNKS];
};

struct gridfs_reader {
	struct blob_reader port;
	struct blob_gridfs *store;
	int64_t position; /* bytes */
	int straight;     /* windows that followed one another, so far */
	struct window windows[2];
	struct window *now, *next; /* next is the task's from ahead_put to ahead_claim */
	struct ahead_task task;
	int task_result;
	struct err task_error;
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
window_drop(struct window *w)
{
	if (w->has_reply)
		bson_destroy(&w->reply);
	w->has_reply = false;
}

static bool
window_holds(const struct window *w, int64_t n)
{
	return w->has_reply && n >= w->first && n < w->end;
}

/* Adds one chunk to the window; it must be exactly what the files document promises. */
static int
take_chunk(const struct blob_info *info, struct window *w, const bson_iter_t *chunk, int64_t n,
	   struct err *e)
{
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
	w->pieces[n - w->first].data = data;
	w->pieces[n - w->first].len = len;
	return 0;
}

/* One batch, and no cursor that would hold the client: the command itself instead of the driver's
 * find. */
static bson_t *
find_command(const struct blob_info *info, const struct window *w)
{
	bson_oid_t id;

	bson_oid_init_from_string(&id, info->id.hex);
	return BCON_NEW("find", "fs.chunks", "filter", "{", "files_id", BCON_OID(&id), "n", "{",
			"$gte", BCON_INT64(w->first), "$lt", BCON_INT64(w->end), "}", "}", "sort",
			"{", "n", BCON_INT32(1), "}", "limit", BCON_INT64(w->end - w->first),
			"batchSize", BCON_INT64(w->end - w->first), "singleBatch", BCON_BOOL(true));
}

static int
take_reply(const struct blob_info *info, struct window *w, struct err *e)
{
	bson_iter_t it, batch, chunk;
	int64_t n = w->first;
	int rc = 0;

	if (!bson_iter_init(&it, &w->reply) ||
	    !bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) ||
	    !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &chunk))
		return err_set(e, ERR_INTERNAL, "mongodb: read chunks: a reply without a batch");
	while (rc == 0 && n < w->end && bson_iter_next(&chunk))
		rc = take_chunk(info, w, &chunk, n++, e);
	if (rc == 0 && n != w->end)
		rc = err_set(e, ERR_CORRUPT, "blob %s: chunk %lld is missing", info->id.hex,
			     (long long)n);
	return rc;
}

static int
fetch_once(const struct gridfs_reader *r, struct window *w, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *command = find_command(&r->port.info, w);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int rc;

	if ((rc = gridfs_begin(r->store, &s, e)) < 0)
		return rc;
	window_drop(w);
	w->has_reply = true; /* the driver initialises it, also when it fails */
	if (!mongoc_client_read_command_with_opts(s.client, r->store->database, command, NULL, NULL,
						  &w->reply, &error))
		return mongo_err(e, &error, "read chunks");
	return take_reply(&r->port.info, w, e);
}

/* Fills the window. A connection that died while it was idle is noticed only by using it: such a
 * failure is quick, and worth one more try. A slow one has used up the deadline. */
static int
fetch(const struct gridfs_reader *r, struct window *w, struct err *e)
{
	int64_t began = now_monotonic_ms();
	int rc = fetch_once(r, w, e);

	if (err_is_transient(rc) && now_monotonic_ms() - began < QUICK_FAILURE_MS)
		rc = fetch_once(r, w, e);
	if (rc < 0)
		window_drop(w);
	return rc;
}

static int64_t
at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

static int64_t
chunk_count(const struct blob_info *info)
{
	return info->length > 0 ? (info->length - 1) / info->chunk_size + 1 : 0;
}

static int64_t
full_run(const struct blob_info *info)
{
	int64_t run = at_most(WINDOW_BYTES / info->chunk_size, WINDOW_CHUNKS);

	return run > 0 ? run : 1;
}

static void
aim(const struct gridfs_reader *r, struct window *w, int64_t first, int64_t chunks)
{
	w->first = first;
	w->end = at_most(first + chunks, chunk_count(&r->port.info));
}

static void
fetch_ahead(struct ahead_task *task)
{
	struct gridfs_reader *r = CONTAINER_OF(task, struct gridfs_reader, task);

	r->task_result = fetch(r, r->next, &r->task_error);
}

static void
look_ahead(struct gridfs_reader *r)
{
	if (r->straight <= STRAIGHT_MIN || r->now->end >= chunk_count(&r->port.info))
		return;
	aim(r, r->next, r->now->end, full_run(&r->port.info));
	ahead_put(r->store->ahead, &r->task);
}

static void
count_fetched(struct gridfs_reader *r, const struct window *w)
{
	for (int64_t n = w->first; w->has_reply && n < w->end; n++)
		r->port.fetched += chunk_length(&r->port.info, n);
}

/* How straight reading is when it comes to chunk n. A blob's first chunk is taken for the start of
 * a whole reading. */
static int
straight_at(const struct gridfs_reader *r, int64_t n)
{
	if (r->now->has_reply && n == r->now->end)
		return r->straight + 1;
	return !r->now->has_reply && n == 0 ? STRAIGHT_MIN : 0;
}

/* Moves on to the window that holds chunk n. */
static int
refill(struct gridfs_reader *r, int64_t n, struct err *e)
{
	bool straight = r->now->has_reply && n == r->now->end;
	bool claimed = ahead_claim(r->store->ahead, &r->task);
	struct window *swap = r->now;
	int rc;

	if (claimed && straight && r->task_result < 0)
		return err_set(e, r->task_result, "%s", r->task_error.text);
	if (claimed)
		count_fetched(r, r->next);
	r->straight = straight_at(r, n);
	if (claimed && window_holds(r->next, n)) {
		r->now = r->next;
		r->next = swap;
	} else {
		aim(r, r->now, n, r->straight < STRAIGHT_MIN ? 1 : full_run(&r->port.info));
		if ((rc = fetch(r, r->now, e)) < 0)
			return rc;
		count_fetched(r, r->now);
	}
	window_drop(r->next);
	if (straight)
		look_ahead(r);
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
	if (!window_holds(r->now, n) && (rc = refill(r, n, e)) < 0)
		return rc;
	left = r->now->pieces[n - r->now->first].len - at;
	if (size > left)
		size = left;
	memcpy(to, r->now->pieces[n - r->now->first].data + at, size);
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

	(void)ahead_claim(r->store->ahead, &r->task);
	window_drop(r->now);
	window_drop(r->next);
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
	r->now = &r->windows[0];
	r->next = &r->windows[1];
	r->task.run = fetch_ahead;
	*ret = &r->port;
	return 0;
}
