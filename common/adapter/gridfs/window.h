/* Some chunks of a blob, fetched by one query: the server's reply is the window, nothing is copied.
 * Threads: one at a time. */
#ifndef TONEARM_ADAPTER_GRIDFS_WINDOW_H
#define TONEARM_ADAPTER_GRIDFS_WINDOW_H

#include "adapter/gridfs/private.h"

#define WINDOW_CHUNKS 64 /* of foreign blobs with small ones */

/* Chunks from first to end (not included), as the server sent them. */
struct gridfs_window {
	struct blob_gridfs *store;    /* borrowed, as info */
	const struct blob_info *info; /* of the blob */
	bson_t reply;                 /* the pieces point into it */
	bool has_reply;
	bool wide; /* holds one of the store's few wide windows */
	int64_t first, end;
	struct {
		const uint8_t *data;
		uint32_t len;
	} pieces[WINDOW_CHUNKS];
};

bool gridfs_window_holds(const struct gridfs_window *w, int64_t n);
/* Whether it may be wide from now on, until gridfs_window_drop. */
bool gridfs_window_widen(struct gridfs_window *w);
/* Fetches the chunks from first to end. On failure the window is dropped. */
int gridfs_window_fetch(struct gridfs_window *w, struct err *e);
/* Frees its memory; first and end stay. */
void gridfs_window_drop(struct gridfs_window *w);
/* Bytes of the chunks from first to end. */
int64_t gridfs_window_length(const struct gridfs_window *w);

#endif
