#include "gateway/intake.h"

#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/text/str.h"

/* A name is hostile text: it must be valid UTF-8 for the stores, and one line for every reader. */
static void
intake_copy_name(char *to, size_t size, const char *from)
{
	bool utf8 = utf8_valid(from, strlen(from));
	size_t n = 0;

	for (; from[n] != '\0' && n + 1 < size; n++) {
		unsigned char c = (unsigned char)from[n];

		to[n] = c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) ? '_' : from[n];
	}
	while (utf8 && n > 0 && !utf8_valid(to, n)) /* cut in the middle of a character */
		n--;
	to[n] = '\0';
}

int
intake_begin(struct intake *in, const struct gateway *g, const char *username,
	     const struct multipart_part *part, int64_t expected, struct err *e)
{
	struct blob_meta meta = { 0 };
	int r;

	*in = (struct intake){ .gateway = g };
	in->job.state = JOB_UPLOADING;
	in->job.video_fid = blob_id_new();
	in->job.source.bytes = expected;
	intake_copy_name(in->job.source.filename, sizeof in->job.source.filename, part->filename);
	intake_copy_name(in->job.source.content_type, sizeof in->job.source.content_type,
			 part->content_type);
	if ((r = str_copy(in->job.username, sizeof in->job.username, username, e)) < 0)
		return r;
	memcpy(meta.owner, in->job.username, sizeof meta.owner);
	memcpy(meta.filename, in->job.source.filename, sizeof meta.filename);
	memcpy(meta.content_type, in->job.source.content_type, sizeof meta.content_type);

	in->registered = true; /* also when the ledger's answer was lost */
	if ((r = job_create(g->jobs, &in->job, e)) < 0)
		return err_prefix(e, r, "register the upload");
	if ((r = blob_create(g->videos, &in->job.video_fid, &meta, &in->writer, e)) < 0)
		return err_prefix(e, r, "begin the upload");
	return 0;
}

int
intake_write(struct intake *in, const char *data, size_t len, struct err *e)
{
	int64_t limit = in->gateway->max_upload_bytes;
	int r;

	if (limit > 0 && in->writer->length + (int64_t)len > limit)
		return err_set(e, ERR_TOO_LARGE, "over %lld bytes", (long long)limit);
	if ((r = blob_write(in->writer, data, len, e)) < 0)
		return err_prefix(e, r, "store %s", in->job.video_fid.hex);
	return 0;
}

int
intake_accept(struct intake *in, struct err *e)
{
	int r;

	if (in->writer->length == 0)
		return err_set(e, ERR_INVALID, "file is empty");
	in->job.source.bytes = in->writer->length;
	in->stored = true; /* also when the commit's answer was lost */
	if ((r = blob_commit(in->writer, e)) < 0)
		return err_prefix(e, r, "store %s", in->job.video_fid.hex);
	if ((r = job_enqueue(in->gateway->jobs, &in->job.video_fid, &in->job.source, &in->job.spec,
			     e)) < 0)
		return err_prefix(e, r, "queue %s", in->job.video_fid.hex);
	in->job.state = JOB_QUEUED;
	in->registered = false;
	relay_announce(&in->gateway->announcer, &in->job, JOB_PUBLISH_VIDEO);
	return 0;
}

/* Only a job that the ledger still holds as uploading is forgotten, and only then its bytes go: one
 * that was queued after all must find its video. */
static int
intake_discard(struct intake *in, struct err *e)
{
	struct job now;
	int r = job_discard(in->gateway->jobs, &in->job.video_fid, e);

	if (r == 0 && in->stored &&
	    job_get(in->gateway->jobs, &in->job.video_fid, &now, NULL) == ERR_NOT_FOUND)
		(void)blob_remove(in->gateway->videos, &in->job.video_fid, NULL);
	return r;
}

/* What cannot be cleared now the janitor finds, as long as the ledger knows of it: a server is
 * away, or bytes may still be on their way to one. */
void
intake_close(struct intake *in)
{
	struct err e = ERR_NONE;
	bool unsettled = in->writer && in->writer->unsettled;
	int r;

	if (in->writer) {
		blob_writer_close(in->writer);
		in->writer = NULL;
	}
	if (!in->registered)
		return;
	in->registered = false;
	r = unsettled ? err_set(&e, ERR_TIMEOUT, "an answer of the store was lost")
		      : intake_discard(in, &e);
	if (err_is_transient(r))
		log_warn(LOG_EVENT("upload_left_to_janitor"),
			 LOG_STR("video_fid", in->job.video_fid.hex), LOG_ERR(&e));
}
