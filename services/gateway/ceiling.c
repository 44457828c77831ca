#include "gateway/ceiling.h"

#define RETRY_AFTER_S 30

/* What is under way before what is stored: an upload that ends between the two is counted twice
 * rather than not at all. */
static int
ceiling_measure(const struct gateway *g, const char *username, struct job_load *ret_load,
		int64_t *ret_stored, struct err *e)
{
	int r;

	if ((r = job_load(g->desk, username, ret_load, e)) < 0)
		return r;
	return g->max_stored_bytes > 0 ? job_stored(g->desk, username, ret_stored, e) : 0;
}

int
ceiling_check(const struct gateway *g, const struct ceiling_asked *asked, int64_t *ret_room,
	      struct err *e)
{
	bool registered = asked->upload == CEILING_REGISTERED;
	struct job_load load = { 0 };
	int64_t stored = 0, room;
	int r;

	*ret_room = INT64_MAX;
	if (g->max_stored_bytes == 0 && g->max_queued_jobs == 0)
		return CEILING_CLEAR;
	if ((r = ceiling_measure(g, asked->username, &load, &stored, e)) < 0)
		return err_prefix(e, r, "ceilings of a user");
	if (g->max_queued_jobs > 0 && load.unfinished + !registered > g->max_queued_jobs)
		return CEILING_JOBS;
	if (g->max_stored_bytes == 0)
		return CEILING_CLEAR;
	room = g->max_stored_bytes - stored - load.uploading_bytes;
	if (registered)
		room += asked->expected;
	/* the body is more than the file, by its frame */
	if (room <= 0 || asked->expected - MULTIPART_FRAME_ALLOWANCE > room)
		return CEILING_BYTES;
	*ret_room = room;
	return CEILING_CLEAR;
}

const struct refusal *
ceiling_refusal(enum ceiling reached)
{
	static const struct refusal jobs = {
		429, "too many of your videos wait to be converted, try again later", NULL,
		RETRY_AFTER_S
	};
	static const struct refusal bytes = { 413, "your storage is full, the file does not fit",
					      NULL, 0 };

	return reached == CEILING_JOBS ? &jobs : &bytes;
}
