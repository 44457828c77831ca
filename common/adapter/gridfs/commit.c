/* From chunks to a blob: all of them are there, then the files document. */
#include "adapter/gridfs/writer.h"

#include "base/clock.h"

struct commit_try {
	const bson_t *doc;
	int64_t uploaded_ms; /* in it: tells our own from another's */
	bool repeat;
};

/* A majority must hold every chunk before anyone may see the blob. */
static int
commit_check_chunks(struct gridfs_writer *w, int64_t expected, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *query = gridfs_by_id("files_id", &w->port.id);
	int64_t found = -1;
	int r = gridfs_count_chunks(w->store, query, &found, e);

	if (r == 0 && found != expected)
		r = err_set(e, ERR_UNAVAILABLE, "mongodb: %lld of %lld chunks are there",
			    (long long)found, (long long)expected);
	return r;
}

/* A duplicate key is our own earlier try, or another writer of this id, or another output of the
 * same video. */
static int
commit_explain_duplicate(struct gridfs_writer *w, const struct commit_try *try, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *filter = gridfs_by_id("_id", &w->port.id);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	struct blob_info there;
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	r = gridfs_find_file(&s, filter, &there, e);
	if (r == 0 && try->repeat && there.uploaded_ms == try->uploaded_ms)
		return 0;
	if (r < 0 && r != ERR_NOT_FOUND)
		return r;
	w->committing = false; /* refused for certain: the chunks may go */
	return err_set(e, ERR_CONFLICT,
		       r == 0 ? "another writer of this blob was faster"
			      : "another output of this video was faster");
}

static int
commit_insert_file(struct gridfs_writer *w, const struct commit_try *try, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *options = gridfs_durable_options(w->store);
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	bson_error_t error;
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	w->committing = true;
	if (mongoc_collection_insert_one(s.files, try->doc, options, NULL, &error))
		return 0;
	r = mongo_err(e, &error, "insert blob");
	w->port.unsettled |= err_is_transient(r);
	if (r != ERR_CONFLICT)
		return r;
	gridfs_end(&s);
	return commit_explain_duplicate(w, try, e);
}

static int
commit_make_visible(struct gridfs_writer *w, struct err *e)
{
	struct commit_try try = { .uploaded_ms = now_unix_ms() };
	SCOPED(gridfs_bson_free_p)
	bson_t *doc = gridfs_file_doc(&w->port, &w->meta, try.uploaded_ms);
	int64_t until = now_monotonic_ms() + mongo_pool_deadline_ms(w->store->pool);
	int r;

	try.doc = doc;
	for (;; try.repeat = true) {
		r = commit_insert_file(w, &try, e);
		if (!err_is_transient(r) || !gridfs_retry_pause(until))
			return r;
	}
}

/* As of a blob of one part, but that the tail is sealed first. */
static int
commit_parts(struct gridfs_writer *w, struct err *e)
{
	int r;

	if (!w->tail_sealed && (r = gridfs_tail_seal(w, e)) < 0)
		return r;
	w->tail_sealed = true;
	if ((r = commit_check_chunks(w, (int64_t)w->n + 1, e)) < 0 ||
	    (r = commit_make_visible(w, e)) < 0)
		return r;
	/* that it fails costs nobody the blob: the orphans try it again */
	if (w->port.length % CHUNK_SIZE == 0 && gridfs_trim(w->store, &w->port.id, NULL) < 0)
		gridfs_orphans_add(w->store->orphans, &w->port.id, ORPHAN_TRIM);
	return 0;
}

static int
commit_whole(struct gridfs_writer *w, struct err *e)
{
	int r;

	if ((r = gridfs_ensure_indexes(w->store, e)) < 0)
		return r;
	/* what holds the headers goes last: before it, no reader could make sense of the rest */
	if (w->held_count > 0 && (r = gridfs_send(w, w->held, w->held_count, e)) < 0)
		return r;
	r = commit_check_chunks(w, w->n, e);
	return r < 0 ? r : commit_make_visible(w, e);
}

int
gridfs_commit(struct gridfs_writer *w, struct err *e)
{
	return w->port.resumable ? commit_parts(w, e) : commit_whole(w, e);
}
