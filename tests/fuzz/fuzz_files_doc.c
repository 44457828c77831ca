/* Fuzz target: a GridFS files document as a foreign hand may have stored it. What was read must
 * survive being written as one of ours. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/gridfs/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const struct blob_info *info)
{
	struct blob_writer w = { .id = info->id, .length = info->length };
	SCOPED(gridfs_bson_free_p) bson_t *doc = NULL;
	struct blob_info again;

	if (blob_id_is_none(&info->id))
		return;
	doc = gridfs_file_doc(&w, &info->meta, 0);
	if (gridfs_file_read(doc, &again, NULL) < 0 || again.length != info->length ||
	    !blob_id_equal(&again.id, &info->id) ||
	    !blob_id_equal(&again.meta.video_fid, &info->meta.video_fid) ||
	    strlen(again.meta.owner) != strlen(info->meta.owner) ||
	    strlen(again.meta.filename) != strlen(info->meta.filename))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob_info info;
	uint8_t *copy;
	bson_t doc;

	if (size > 65536 || (copy = malloc(size + 1)) == NULL)
		return 0;
	/* Length and end are the driver's to check: they are put right, so that more is reached. */
	memcpy(copy, data, size);
	if (size >= 5) {
		for (size_t i = 0; i < 4; i++)
			copy[i] = (uint8_t)(size >> (8 * i));
		copy[size - 1] = 0;
	}
	if (bson_init_static(&doc, copy, size) && gridfs_file_read(&doc, &info, NULL) == 0) {
		if (info.length < 0 || info.chunk_size < 1 || info.chunk_size > CHUNK_SIZE_MAX)
			abort();
		check_again(&info);
	}
	free(copy);
	return 0;
}
