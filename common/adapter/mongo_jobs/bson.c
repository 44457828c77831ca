#include "adapter/mongo_jobs/private.h"

#include <stdio.h>

#include "base/text/str.h"

static void
document_text(const bson_t *doc, const char *path, char *to, size_t size)
{
	bson_iter_t top, it;

	if (bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &it) &&
	    BSON_ITER_HOLDS_UTF8(&it))
		(void)snprintf(to, size, "%s", bson_iter_utf8(&it, NULL));
}

static double
document_number(const bson_t *doc, const char *path)
{
	bson_iter_t top, it;

	if (!bson_iter_init(&top, doc) || !bson_iter_find_descendant(&top, path, &it))
		return 0;
	return bson_iter_as_double(&it);
}

static int64_t
document_integer(const bson_t *doc, const char *path)
{
	bson_iter_t top, it;

	if (!bson_iter_init(&top, doc) || !bson_iter_find_descendant(&top, path, &it))
		return 0;
	return bson_iter_as_int64(&it);
}

static int64_t
document_time(const bson_t *doc, const char *path)
{
	bson_iter_t top, it;

	if (!bson_iter_init(&top, doc) || !bson_iter_find_descendant(&top, path, &it) ||
	    !BSON_ITER_HOLDS_DATE_TIME(&it))
		return 0;
	return bson_iter_date_time(&it);
}

static void
document_id(const bson_t *doc, const char *path, struct blob_id *ret)
{
	bson_iter_t top, it;

	if (bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &it) &&
	    BSON_ITER_HOLDS_OID(&it))
		bson_oid_to_string(bson_iter_oid(&it), ret->hex);
}

/* The lease stays in the document after its end, so that a repeated ending is recognised; a reader
 * sees it only while it is held. */
static void
document_lease(const bson_t *doc, struct job *job)
{
	if (job->state != JOB_LEASED)
		return;
	job->lease.video_fid = job->video_fid;
	job->lease.until_ms = document_time(doc, "lease.until");
	document_text(doc, "lease.owner", job->lease.owner, sizeof job->lease.owner);
	document_text(doc, "lease.token", job->lease.token, sizeof job->lease.token);
	document_id(doc, "lease.output", &job->lease.output);
	job->progress.speed = document_number(doc, "lease.speed");
	job->progress.remaining_s = document_number(doc, "lease.remaining_s");
}

static void
document_source(const bson_t *doc, struct job_source *source)
{
	document_text(doc, "source.filename", source->filename, sizeof source->filename);
	document_text(doc, "source.content_type", source->content_type,
		      sizeof source->content_type);
	source->bytes = document_integer(doc, "source.bytes");
	source->duration_s = document_number(doc, "source.duration_s");
}

static void
document_level(const bson_t *doc, const char *path, bool *ret_known, double *ret)
{
	bson_iter_t top, it;

	*ret_known = bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, &it) &&
		     BSON_ITER_HOLDS_NUMBER(&it);
	*ret = *ret_known ? bson_iter_as_double(&it) : 0;
}

static void
document_loudness(const bson_t *doc, struct job_loudness *l)
{
	document_level(doc, "loudness.integrated_lufs", &l->has_integrated, &l->integrated_lufs);
	document_level(doc, "loudness.range_lu", &l->has_range, &l->range_lu);
	document_level(doc, "loudness.true_peak_dbtp", &l->has_true_peak, &l->true_peak_dbtp);
}

int
mongo_jobs_read(const bson_t *doc, struct job *ret, struct err *e)
{
	struct job job = { .attempts = (int)document_integer(doc, "attempts"),
			   .progress.fraction = document_number(doc, "progress"),
			   .not_before_ms = document_time(doc, "not_before"),
			   .created_ms = document_time(doc, "created_at"),
			   .updated_ms = document_time(doc, "updated_at"),
			   .video_published_ms = document_time(doc, "video_published_at"),
			   .result_published_ms = document_time(doc, "result_published_at"),
			   .notified_ms = document_time(doc, "notified_at") };
	char state[16] = "";

	document_id(doc, "_id", &job.video_fid);
	document_text(doc, "state", state, sizeof state);
	if (blob_id_is_none(&job.video_fid) || job_state_parse(state, &job.state) < 0)
		return err_set(e, ERR_CORRUPT, "the ledger's entry %s is no job",
			       job.video_fid.hex);
	document_text(doc, "username", job.username, sizeof job.username);
	document_text(doc, "error.code", job.error.code, sizeof job.error.code);
	document_text(doc, "error.message", job.error.message, sizeof job.error.message);
	document_id(doc, "mp3_fid", &job.mp3_fid);
	document_source(doc, &job.source);
	job.spec = mongo_jobs_spec_read(doc);
	document_loudness(doc, &job.loudness);
	mongo_jobs_findings_read(doc, &job);
	document_lease(doc, &job);
	*ret = job;
	return 0;
}

int
mongo_jobs_oid(const struct blob_id *id, bson_oid_t *ret, struct err *e)
{
	if (!bson_oid_is_valid(id->hex, BLOB_ID_DIGITS))
		return err_set(e, ERR_INVALID, "no id of a blob");
	bson_oid_init_from_string(ret, id->hex);
	return 0;
}

void
mongo_jobs_text(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text);
	if (utf8_valid(to, strlen(to)))
		return;
	for (char *p = to; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
}
