/* `converter jobs fetch` and `delete`: the files of a job, with the operator's rights. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "converter/command/file_blob.h"
#include "converter/command/jobs.h"
#include "converter/removal.h"

#define PIECE 65536

/* To standard output directly: nothing of it is written twice, as of a conversion. */
static int
files_write_output(const char *data, size_t len, struct err *e)
{
	if (fwrite(data, 1, len, stdout) != len)
		return err_errno(e, ERR_INTERNAL, errno, "standard output");
	return 0;
}

/* out NULL = standard output. */
static int
files_copy(struct blob_reader *from, struct blob_writer *out, struct err *e)
{
	SCOPED_FREE char *piece = malloc(PIECE);
	size_t got;
	int r;

	if (!piece)
		return err_set(e, ERR_NO_MEMORY, "buffer");
	for (;;) {
		if ((r = blob_read(from, piece, PIECE, &got, e)) < 0 || got == 0)
			return r;
		r = out ? blob_write(out, piece, got, e) : files_write_output(piece, got, e);
		if (r < 0)
			return r;
	}
}

static int
files_fetch(struct blob_store *mp3s, const struct job *job, const struct command_call *call,
	    struct err *e)
{
	SCOPED(blob_reader_close_p) struct blob_reader *from = NULL;
	SCOPED(blob_writer_close_p) struct blob_writer *out = NULL;
	bool force = command_given(call, "force");
	const char *to = call->operands[1];
	int r;

	if (job->state != JOB_DONE)
		return err_set(e, ERR_CONFLICT, "job %s is %s, not done", job->video_fid.hex,
			       job_state_name(job->state));
	if ((r = file_blob_check(to, NULL, force, e)) < 0 ||
	    (r = blob_open(mp3s, &job->mp3_fid, &from, e)) < 0)
		return r;
	if (!file_is_standard(to) && (r = file_blob_create(to, force, &out, e)) < 0)
		return r;
	if ((r = files_copy(from, out, e)) < 0 || !out)
		return r;
	return blob_commit(out, e);
}

int
jobs_fetch(const struct command_call *call)
{
	SCOPED(converter_stores_close) struct converter_stores stores = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	struct job job;

	if (blob_id_parse(call->operands[0], &video) < 0)
		return command_wrong(call, "a video_fid is 24 hex digits");
	if (converter_stores_open(call->config, &stores, &e) < 0 ||
	    job_get(&stores.ledger->life, &video, &job, &e) < 0 ||
	    files_fetch(stores.mp3s, &job, call, &e) < 0)
		return converter_failed(call, "fetch", &e);
	return COMMAND_DONE;
}

int
jobs_delete(const struct command_call *call)
{
	SCOPED(converter_stores_close) struct converter_stores stores = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	int result = COMMAND_DONE;

	for (int i = 0; i < call->operand_count; i++)
		if (blob_id_parse(call->operands[i], &video) < 0)
			return command_wrong(call, "a video_fid is 24 hex digits");
	if (converter_stores_open(call->config, &stores, &e) < 0)
		return converter_failed(call, "delete", &e);
	for (int i = 0; i < call->operand_count; i++) {
		const struct removal removal = { stores.videos, stores.mp3s, stores.ledger };

		e = ERR_NONE;
		if (blob_id_parse(call->operands[i], &video) == 0 &&
		    removal_run(&removal, &video, &e) == 0)
			printf("deleted the files of %s\n", video.hex);
		else
			result = converter_failed(call, "delete", &e);
	}
	return result;
}
