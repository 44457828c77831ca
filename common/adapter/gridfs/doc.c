/* GridFS documents to values and back. Documents of others are hostile: only right types are read.
 */
#include "adapter/gridfs/private.h"

#include <math.h>
#include <string.h>

#include "base/text/str.h"

#define LONGEST_TEXT 255
#define LENGTH_MAX ((int64_t)1 << 53) /* whole as a double too; keeps sums of lengths in range */

_Static_assert(USERNAME_MAX <= LONGEST_TEXT && FILENAME_MAX_BYTES <= LONGEST_TEXT &&
		       CONTENT_TYPE_MAX <= LONGEST_TEXT,
	       "doc_append_text holds every text");

bson_t *
gridfs_by_id(const char *key, const struct blob_id *id)
{
	bson_oid_t oid;

	bson_oid_init_from_string(&oid, id->hex);
	return BCON_NEW(key, BCON_OID(&oid));
}

/* The driver refuses a document whose text is not UTF-8: a sender's odd name must not cost the
 * blob. */
static void
doc_append_text(bson_t *to, const char *key, const char *text)
{
	char legible[LONGEST_TEXT + 1];

	if (text[0] == '\0' || str_copy(legible, sizeof legible, text, NULL) < 0)
		return;
	if (!utf8_valid(legible, strlen(legible)))
		for (char *at = legible; *at; at++)
			if ((unsigned char)*at >= 0x80)
				*at = '?';
	BSON_APPEND_UTF8(to, key, legible);
}

bson_t *
gridfs_file_doc(const struct blob_writer *w, const struct blob_meta *meta, int64_t uploaded_ms)
{
	bson_t *doc = bson_new(), metadata;
	bson_oid_t id;

	bson_oid_init_from_string(&id, w->id.hex);
	BSON_APPEND_OID(doc, "_id", &id);
	BSON_APPEND_INT64(doc, "length", w->length);
	BSON_APPEND_INT32(doc, "chunkSize", CHUNK_SIZE);
	BSON_APPEND_DATE_TIME(doc, "uploadDate", uploaded_ms);
	doc_append_text(doc, "filename", meta->filename);
	BSON_APPEND_DOCUMENT_BEGIN(doc, "metadata", &metadata);
	doc_append_text(&metadata, "owner", meta->owner);
	if (!blob_id_is_none(&meta->video_fid)) {
		bson_oid_init_from_string(&id, meta->video_fid.hex);
		BSON_APPEND_OID(&metadata, "video_fid", &id);
	}
	doc_append_text(&metadata, "content_type", meta->content_type);
	bson_append_document_end(doc, &metadata);
	return doc;
}

/* Drivers of some languages store numbers as doubles. */
bool
gridfs_whole(const bson_iter_t *it, int64_t *ret)
{
	double d;

	if (BSON_ITER_HOLDS_INT32(it) || BSON_ITER_HOLDS_INT64(it)) {
		*ret = bson_iter_as_int64(it);
		return true;
	}
	if (!BSON_ITER_HOLDS_DOUBLE(it))
		return false;
	d = bson_iter_double(it);
	if (!(d >= 0 && d <= (double)LENGTH_MAX) || floor(d) < d)
		return false;
	*ret = (int64_t)d;
	return true;
}

/* Texts that are too long for us, or of another type, count as absent. */
static void
doc_read_text(const bson_iter_t *it, char *to, size_t size)
{
	if (BSON_ITER_HOLDS_UTF8(it))
		(void)str_copy(to, size, bson_iter_utf8(it, NULL), NULL);
}

static void
doc_read_meta(const bson_iter_t *metadata, struct blob_meta *ret)
{
	bson_iter_t it;

	if (!BSON_ITER_HOLDS_DOCUMENT(metadata) || !bson_iter_recurse(metadata, &it))
		return;
	while (bson_iter_next(&it)) {
		const char *key = bson_iter_key(&it);

		if (strcmp(key, "owner") == 0) {
			doc_read_text(&it, ret->owner, sizeof ret->owner);
			ret->owner_unreadable = !BSON_ITER_HOLDS_NULL(&it) && ret->owner[0] == '\0';
		} else if (strcmp(key, "content_type") == 0) {
			doc_read_text(&it, ret->content_type, sizeof ret->content_type);
		} else if (strcmp(key, "video_fid") == 0 && BSON_ITER_HOLDS_OID(&it)) {
			bson_oid_to_string(bson_iter_oid(&it), ret->video_fid.hex);
		}
	}
}

static void
doc_read_field(const bson_iter_t *it, struct blob_info *info, int64_t *length, int64_t *chunk_size)
{
	const char *key = bson_iter_key(it);

	if (strcmp(key, "_id") == 0 && BSON_ITER_HOLDS_OID(it))
		bson_oid_to_string(bson_iter_oid(it), info->id.hex);
	else if (strcmp(key, "length") == 0 && !gridfs_whole(it, length))
		*length = -1;
	else if (strcmp(key, "chunkSize") == 0 && !gridfs_whole(it, chunk_size))
		*chunk_size = -1;
	else if (strcmp(key, "uploadDate") == 0 && BSON_ITER_HOLDS_DATE_TIME(it))
		info->uploaded_ms = bson_iter_date_time(it);
	else if (strcmp(key, "filename") == 0)
		doc_read_text(it, info->meta.filename, sizeof info->meta.filename);
	else if (strcmp(key, "metadata") == 0)
		doc_read_meta(it, &info->meta);
}

int
gridfs_file_read(const bson_t *doc, struct blob_info *ret, struct err *e)
{
	int64_t length = -1, chunk_size = -1;
	struct blob_info info = { 0 };
	bson_iter_t it;

	if (!bson_iter_init(&it, doc))
		return err_set(e, ERR_CORRUPT, "files document is no BSON");
	while (bson_iter_next(&it))
		doc_read_field(&it, &info, &length, &chunk_size);
	if (length < 0 || length > LENGTH_MAX)
		return err_set(e, ERR_CORRUPT, "files document: length is missing or bad");
	if (chunk_size < 1 || chunk_size > CHUNK_SIZE_MAX)
		return err_set(e, ERR_CORRUPT, "files document: chunkSize is missing or bad");
	info.length = length;
	info.chunk_size = (int32_t)chunk_size;
	*ret = info;
	return 0;
}
