/* Reading a blob: a window of chunks is fetched by one query and its client given back at once, so
 * that a slow reader holds memory of its own and nothing shared. The server's reply is the window:
 * a chunk is copied once, to the reader's caller, or lent to it. The window goes once its last byte
 * is copied, or with the call after it was lent: a client that stalls keeps no more than what it
 * was about to take. The window is one chunk after a seek, for a demuxer jumps about and pays for
 * what it does not read. A reader that goes straight on, and fast, gets one of the store's few wide
 * windows, and the next one is fetched ahead while this one is handed out. */
#include "adapter/gridfs/private.h"

#include <string.h>

#include "adapter/gridfs/ahead.h"
#include "adapter/gridfs/window.h"
#include "base/clock.h"

#define WIDE_BYTES (2 * CHUNK_SIZE)
#define FAST_CHUNK_MS 100 /* a chunk taken faster than this is worth a wide window */
#define STRAIGHT_MIN 2    /* windows in a row, after which reading counts as straight */

struct gridfs_reader {
	struct blob_reader port;
	struct blob_gridfs *store;
	int64_t position; /* bytes */
	int straight;     /* windows that followed one another, so far */
	int64_t filled_ms;
	struct gridfs_window windows[2];
	struct gridfs_window *now,
		*next; /* next is the task's from gridfs_ahead_put to gridfs_ahead_claim */
	struct gridfs_task task;
	int task_result;
	struct err task_error;
};

static struct gridfs_reader *
reader_of(struct blob_reader *r)
{
	return CONTAINER_OF(r, struct gridfs_reader, port);
}

static int64_t
reader_at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

/* As many chunks as so many bytes are, at least one. */
static int64_t
reader_run(const struct blob_info *info, int64_t bytes)
{
	int64_t run = reader_at_most(bytes / info->chunk_size, WINDOW_CHUNKS);

	return run > 0 ? run : 1;
}

static void
reader_aim(struct gridfs_reader *r, struct gridfs_window *w, int64_t first)
{
	const struct blob_info *info = &r->port.info;
	int64_t chunks = r->straight < STRAIGHT_MIN
				 ? 1
				 : reader_run(info, w->wide ? WIDE_BYTES : CHUNK_SIZE);

	w->first = first;
	w->end = reader_at_most(first + chunks, gridfs_chunk_count(info));
}

static void
reader_fetch_ahead(struct gridfs_task *task)
{
	struct gridfs_reader *r = CONTAINER_OF(task, struct gridfs_reader, task);

	r->task_result = gridfs_window_fetch(r->next, &r->task_error);
}

/* Only what is wide: what waits in readers that stall is bounded. */
static void
reader_look_ahead(struct gridfs_reader *r)
{
	if (!r->now->wide || r->now->end >= gridfs_chunk_count(&r->port.info) ||
	    !gridfs_window_widen(r->next))
		return;
	reader_aim(r, r->next, r->now->end);
	if (!gridfs_ahead_put(r->store->ahead, &r->task))
		gridfs_window_drop(r->next);
}

static bool
reader_is_fast(const struct gridfs_reader *r)
{
	int64_t chunks = r->now->end - r->now->first;

	return now_monotonic_ms() - r->filled_ms <= FAST_CHUNK_MS * chunks;
}

static int
reader_fetch_now(struct gridfs_reader *r, int64_t n, bool fast, struct err *e)
{
	int rc;

	if (fast && r->straight >= STRAIGHT_MIN)
		(void)gridfs_window_widen(r->now);
	reader_aim(r, r->now, n);
	if ((rc = gridfs_window_fetch(r->now, e)) < 0)
		return rc;
	r->port.fetched += gridfs_window_length(r->now);
	return 0;
}

/* Moves on to the window that holds chunk n. A blob's first chunk is taken for the start of a whole
 * reading. */
static int
reader_refill(struct gridfs_reader *r, int64_t n, struct err *e)
{
	bool straight = n == r->now->end, fast = straight && reader_is_fast(r);
	bool claimed = gridfs_ahead_claim(r->store->ahead, &r->task);
	int rc;

	if (claimed && straight && r->task_result < 0)
		return err_set(e, r->task_result, "%s", r->task_error.text);
	if (claimed && r->task_result == 0)
		r->port.fetched += gridfs_window_length(r->next);
	r->straight = straight ? r->straight + 1 : 0;
	gridfs_window_drop(r->now);
	if (claimed && gridfs_window_holds(r->next, n)) {
		struct gridfs_window *swap = r->now;

		r->now = r->next;
		r->next = swap;
	} else {
		gridfs_window_drop(r->next);
		if ((rc = reader_fetch_now(r, n, fast, e)) < 0)
			return rc;
	}
	r->filled_ms = now_monotonic_ms();
	reader_look_ahead(r);
	return 0;
}

/* What is left of the chunk at the position; nothing at the end. */
static int
reader_look(struct gridfs_reader *r, const uint8_t **ret_at, size_t *ret_left, struct err *e)
{
	const struct blob_info *info = &r->port.info;
	int64_t n = r->position / info->chunk_size;
	size_t at = (size_t)(r->position % info->chunk_size);
	int rc;

	if (r->position >= info->length) {
		*ret_left = 0;
		return 0;
	}
	if (!gridfs_window_holds(r->now, n) && (rc = reader_refill(r, n, e)) < 0)
		return rc;
	*ret_at = r->now->pieces[n - r->now->first].data + at;
	*ret_left = r->now->pieces[n - r->now->first].len - at;
	return 0;
}

static int
reader_read(struct blob_reader *port, void *to, size_t size, size_t *ret_got, struct err *e)
{
	struct gridfs_reader *r = reader_of(port);
	const uint8_t *at = NULL;
	size_t left = 0;
	int rc = size > 0 ? reader_look(r, &at, &left, e) : 0;

	if (rc < 0)
		return rc;
	*ret_got = size < left ? size : left;
	if (*ret_got == 0)
		return 0;
	memcpy(to, at, *ret_got);
	r->position += (int64_t)*ret_got;
	if (r->position == r->port.info.length ||
	    !gridfs_window_holds(r->now, r->position / port->info.chunk_size))
		gridfs_window_drop(r->now);
	return 0;
}

static int
reader_lend(struct blob_reader *port, const void **ret_at, size_t *ret_got, struct err *e)
{
	struct gridfs_reader *r = reader_of(port);
	const uint8_t *at = NULL;
	size_t left = 0;
	int rc = reader_look(r, &at, &left, e);

	if (rc < 0)
		return rc;
	*ret_at = at;
	*ret_got = left;
	r->position += (int64_t)left;
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

	(void)gridfs_ahead_claim(r->store->ahead, &r->task);
	gridfs_window_drop(r->now);
	gridfs_window_drop(r->next);
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

	if (!r)
		return err_set(e, ERR_NO_MEMORY, "blob reader");
	r->port.ops = &reader_ops;
	r->port.lend = reader_lend;
	r->port.info = *info;
	r->store = g;
	r->straight = STRAIGHT_MIN - 1;
	for (size_t i = 0; i < ARRAY_LEN(r->windows); i++) {
		r->windows[i].store = g;
		r->windows[i].info = &r->port.info;
	}
	r->now = &r->windows[0];
	r->next = &r->windows[1];
	r->task.run = reader_fetch_ahead;
	*ret = &r->port;
	return 0;
}
