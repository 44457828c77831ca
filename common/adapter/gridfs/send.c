/* Whole chunks on their way to the server. */
#include "adapter/gridfs/writer.h"

#include "base/clock.h"
#include "base/wait.h"

bool
gridfs_retry_pause(int64_t until_ms)
{
	if (now_monotonic_ms() + RETRY_PAUSE_MS >= until_ms)
		return false;
	wait_pause(RETRY_PAUSE_MS);
	return true;
}

/* In order: so the chunks that are there are always the first ones, and the first that is another's
 * ends it. */
static int
send_once(struct gridfs_writer *w, const struct gridfs_slot *slots, size_t count, struct err *e)
{
	SCOPED(gridfs_end) struct gridfs_session s = { 0 };
	const bson_t *docs[BATCH_CHUNKS];
	bson_t views[BATCH_CHUNKS];
	bson_error_t error = { 0 };
	int r;

	if ((r = gridfs_begin(w->store, &s, e)) < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		(void)bson_init_static(&views[i], slots[i].doc, SLOT_DATA_AT + slots[i].len + 1);
		docs[i] = &views[i];
	}
	w->sent = true;
	if (mongoc_collection_insert_many(s.chunks, docs, count, NULL, NULL, &error))
		return 0;
	r = mongo_err(e, &error, "insert chunks");
	w->port.unsettled |= err_is_transient(r);
	return r;
}

static bson_t *
send_own_query(const struct gridfs_slot *slots, size_t count)
{
	bson_t *query = bson_new(), id, in;

	BSON_APPEND_DOCUMENT_BEGIN(query, "_id", &id);
	BSON_APPEND_ARRAY_BEGIN(&id, "$in", &in);
	for (size_t i = 0; i < count; i++) {
		bson_oid_t oid = gridfs_slot_id(&slots[i]);
		const char *key;
		char digits[16];

		(void)bson_uint32_to_string((uint32_t)i, &key, digits, sizeof digits);
		BSON_APPEND_OID(&in, key, &oid);
	}
	bson_append_array_end(&id, &in);
	bson_append_document_end(query, &id);
	return query;
}

/* Whether another try can help: a conflict may be with an earlier try of ours. */
static bool
send_may_repeat(int r, bool repeated, int64_t until)
{
	return (err_is_transient(r) || (repeated && r == ERR_CONFLICT)) &&
	       gridfs_retry_pause(until);
}

int
gridfs_send(struct gridfs_writer *w, const struct gridfs_slot *slots, size_t count, struct err *e)
{
	SCOPED(gridfs_bson_free_p) bson_t *own = send_own_query(slots, count);
	int64_t until = now_monotonic_ms() + mongo_pool_deadline_ms(w->store->pool);
	int64_t there = 0;

	for (bool repeat = false;; repeat = true) {
		int64_t before = there;
		int r = send_once(w, slots + there, count - (size_t)there, e);

		if (r == 0 || !send_may_repeat(r, repeat, until))
			return r;
		/* what is there already may be of an earlier try of ours */
		if (gridfs_count_chunks(w->store, own, &there, NULL) == 0) {
			if (there == (int64_t)count)
				return 0;
			if (r == ERR_CONFLICT && there == before)
				return r;
		}
		if (now_monotonic_ms() >= until)
			return r;
	}
}
