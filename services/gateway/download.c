/* GET /download?fid=: the owner's bytes, whole or in part. */
#include "gateway/gateway.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "gateway/authorize.h"
#include "gateway/range.h"
#include "gateway/refusal.h"
#include "model/media_spec.h"

/* Bytes. From here on, a new connection is nothing beside the copy that lending saves. */
#define LENT_MIN ((int64_t)16 << 20)

struct download {
	struct blob_reader *reader; /* owned */
	int64_t left;               /* bytes */
};

static void
download_free(void *arg)
{
	struct download *d = arg;

	if (!d)
		return;
	blob_reader_close(d->reader);
	free(d);
}
SCOPE_DEFINE(struct download, download_free)

/* r and got are of the store: what goes to the client, or that it must be cut off. */
static int64_t
download_took(struct download *d, int r, size_t got, struct err *e)
{
	if (r == 0 && got == 0)
		r = err_set(e, ERR_CORRUPT, "the blob ends early");
	if (r < 0) {
		/* the head is out: all that is left is to cut the connection, so that the client
		 * sees the break */
		log_warn(LOG_EVENT("download_broken"), LOG_STR("fid", d->reader->info.id.hex),
			 LOG_ERR(e));
		return -1;
	}
	if ((int64_t)got > d->left)
		got = (size_t)d->left;
	d->left -= (int64_t)got;
	return (int64_t)got;
}

static int64_t
download_read(void *arg, char *to, size_t max)
{
	struct download *d = arg;
	struct err e = ERR_NONE;
	size_t got = 0;
	int r;

	if ((int64_t)max > d->left)
		max = (size_t)d->left;
	r = blob_read(d->reader, to, max, &got, &e);
	return download_took(d, r, got, &e);
}

static int64_t
download_lend(void *arg, const void **ret_at)
{
	struct download *d = arg;
	struct err e = ERR_NONE;
	size_t got = 0;
	int r = blob_lend(d->reader, ret_at, &got, &e);

	return download_took(d, r, got, &e);
}

/* 0 when the bearer may have the blob, NOT_FOUND when not: the same as if there were none. */
static int
download_check_owner(const struct gateway *g, const struct blob_info *info, const char *username,
		     struct err *e)
{
	SCOPED_FREE struct job *job = NULL;
	int r;

	if (info->meta.owner_unreadable)
		return err_set(e, ERR_NOT_FOUND, "a blob whose owner cannot be read");
	if (info->meta.owner[0] != '\0')
		return strcmp(info->meta.owner, username) == 0
			       ? 0
			       : err_set(e, ERR_NOT_FOUND, "another user's blob");
	job = calloc(1, sizeof *job);
	if (!job)
		return err_set(e, ERR_NO_MEMORY, "job");
	r = job_find_by_mp3(g->desk, &info->id, job, e);
	if (r == 0)
		return strcmp(job->username, username) == 0
			       ? 0
			       : err_set(e, ERR_NOT_FOUND, "another user's job");
	if (r == ERR_NOT_FOUND)
		return g->allow_ownerless ? 0
					  : err_set(e, ERR_NOT_FOUND, "a blob without an owner");
	return err_prefix(e, r, "owner of %s", info->id.hex);
}

/* What is told of the type is never hostile: only types of the table leave here. What MsgQ's
 * converter made has none, and is an mp3. */
static const struct media_format_info *
download_format(const struct blob_meta *meta)
{
	enum media_format format = media_format_of_type(meta->content_type);

	return media_format_info(format == MEDIA_UNKNOWN ? MEDIA_MP3 : format);
}

static void
download_send_range(struct http_request *req, struct download *d, const char *fid_as_asked,
		    struct range range)
{
	const struct blob_info *info = &d->reader->info;
	const struct media_format_info *format = download_format(&info->meta);
	char etag[BLOB_ID_DIGITS + 3], disposition[80], content_range[80];
	struct http_header_line lines[] = {
		{ "ETag", etag },
		{ "Accept-Ranges", "bytes" },
		{ "Content-Disposition", disposition },
		{ "Cache-Control", "no-cache" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Content-Range", content_range },
	};
	struct http_reply head = { .status = range.kind == RANGE_PART ? 206 : 200,
				   .content_type = format->content_type,
				   .headers = lines,
				   .header_count =
					   ARRAY_LEN(lines) - (range.kind == RANGE_PART ? 0 : 1) };

	(void)snprintf(etag, sizeof etag, "\"%s\"", info->id.hex);
	(void)snprintf(disposition, sizeof disposition, "inline; filename=%s.%s", fid_as_asked,
		       format->extension);
	(void)snprintf(content_range, sizeof content_range,
		       "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range.first,
		       range.first + range.length - 1, info->length);
	if (blob_file(d->reader) >= 0 && range.length > 0) {
		http_reply_file(req, &head, blob_file(d->reader), range.first, range.length);
		download_free(d);
		return;
	}
	d->left = range.length;
	if (blob_lends(d->reader) && range.length >= LENT_MIN) {
		http_reply_lent(req, &head, range.length, download_lend, download_free, d);
		return;
	}
	http_reply_stream(req, &head, range.length, download_read, download_free, d);
}

static void
download_refuse_range(struct http_request *req, int64_t size)
{
	char content_range[48];
	struct http_header_line line = { "Content-Range", content_range };

	(void)snprintf(content_range, sizeof content_range, "bytes */%" PRId64, size);
	http_reply(req, &(struct http_reply){ .status = 416,
					      .body = "range not satisfiable",
					      .headers = &line,
					      .header_count = 1 });
}

static void
download_reply_not_modified(struct http_request *req, const char *etag)
{
	struct http_header_line line = { "ETag", etag };

	http_reply(req, &(struct http_reply){ .status = 304, .headers = &line, .header_count = 1 });
}

/* Takes the reader. */
static void
download_send(struct http_request *req, struct blob_reader *reader, const char *fid_as_asked)
{
	SCOPED(download_free_p) struct download *d = calloc(1, sizeof *d);
	const char *if_range = http_header(req, "If-Range");
	struct range range = { .kind = RANGE_WHOLE };
	int64_t size = reader->info.length;
	char etag[BLOB_ID_DIGITS + 3];
	struct err e = ERR_NONE;

	if (!d) {
		blob_reader_close(reader);
		(void)err_set(&e, ERR_NO_MEMORY, "download");
		refuse_error(req, REFUSAL_PLAIN, "download", &e);
		return;
	}
	d->reader = reader;
	(void)snprintf(etag, sizeof etag, "\"%s\"", reader->info.id.hex);
	if (etag_listed(http_header(req, "If-None-Match"), etag, ETAG_WEAK)) {
		download_reply_not_modified(req, etag);
		return;
	}
	/* RFC 9110 14.2: Range is for GET alone, and only while the file is the one that If-Range
	 * names */
	if (!http_is_head(req) && (!if_range || etag_listed(if_range, etag, ETAG_STRONG)))
		range = range_parse(http_header(req, "Range"), size);
	if (range.kind == RANGE_UNSATISFIABLE) {
		download_refuse_range(req, size);
		return;
	}
	if (range.kind == RANGE_WHOLE)
		range = (struct range){ RANGE_WHOLE, 0, size };
	if (blob_seek(reader, range.first, &e) < 0) {
		refuse_error(req, REFUSAL_PLAIN, "download", &e);
		return;
	}
	download_send_range(req, TAKE(d), fid_as_asked, range);
}

void
gateway_download(struct http_request *req, void *gateway)
{
	static const struct refusal required = { 400, "fid is required", NULL, 0 };
	static const struct refusal malformed = { 400, "fid is malformed", NULL, 0 };
	static const struct refusal unknown = { 404, "not found", NULL, 0 };
	const struct gateway *g = gateway;
	const char *fid_text = http_query(req, "fid");
	SCOPED(blob_reader_close_p) struct blob_reader *reader = NULL;
	struct claims claims;
	struct blob_id fid;
	struct err e = ERR_NONE;
	int r;

	if (!authorize(req, g, REFUSAL_PLAIN, &claims))
		return;
	if (!fid_text || (*fid_text == '\0' && !http_query_has_nul(req, "fid"))) {
		refuse(req, REFUSAL_PLAIN, &required);
		return;
	}
	if (http_query_has_nul(req, "fid") || blob_id_parse(fid_text, &fid) < 0) {
		refuse(req, REFUSAL_PLAIN, &malformed);
		return;
	}
	if ((r = blob_open(g->mp3s, &fid, &reader, &e)) == 0)
		r = download_check_owner(g, &reader->info, claims.username, &e);
	if (r == ERR_NOT_FOUND)
		refuse(req, REFUSAL_PLAIN, &unknown);
	else if (r < 0)
		refuse_error(req, REFUSAL_PLAIN, "download", &e);
	else
		download_send(req, TAKE(reader), fid_text);
}
