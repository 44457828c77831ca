/* POST /upload: exactly one file of a multipart body, streamed into the store. */
#include "gateway/gateway.h"

#include <stdio.h>
#include <string.h>

#include "base/log/log.h"
#include "base/scope.h"
#include "base/text/str.h"
#include "gateway/authorize.h"
#include "gateway/ceiling.h"
#include "gateway/intake.h"
#include "gateway/options.h"
#include "gateway/refusal.h"
#include "net/multipart.h"
#include "wire/job_json.h"

static const struct refusal not_one_file = { 400, "exactly 1 file required", NULL, 0 };
static const struct refusal file_empty = { 400, "file is empty", NULL, 0 };
static const struct refusal too_large = { 413, "file is too large", NULL, 0 };
static const struct refusal too_much = { 413, "too much beside the file", NULL, 0 };

struct upload {
	const struct gateway *gateway;
	struct claims claims;
	struct multipart parser;
	struct intake intake;
	struct upload_options options;
	int64_t expected;     /* bytes of the body; 0 = unknown */
	int64_t room;         /* bytes that the user's ceiling leaves for the file */
	enum ceiling reached; /* why it is refused */
	int64_t body_bytes, file_bytes;
	int files;
	bool in_file;    /* the present part is the file */
	bool store_lost; /* the error is the store's, not the sender's */
};

static void
upload_free(void *arg)
{
	struct upload *u = arg;

	if (!u)
		return;
	intake_close(&u->intake);
	free(u);
}
SCOPE_DEFINE(struct upload, upload_free)

/* 0, or TOO_LARGE when a ceiling is reached now that the ledger knows of this upload. */
static int
upload_check_ceilings(struct upload *u, struct err *e)
{
	const struct ceiling_asked asked = { u->claims.username, u->expected, CEILING_REGISTERED };
	int r = ceiling_check(u->gateway, &asked, &u->room, e);

	if (r <= 0)
		return r;
	u->reached = (enum ceiling)r;
	return err_set(e, ERR_TOO_LARGE, "a ceiling of the user is reached");
}

static int
upload_part_begin(void *arg, const struct multipart_part *part, struct err *e)
{
	struct upload *u = arg;
	int r;

	u->in_file = part->has_filename;
	if (!u->in_file) {
		upload_options_begin(&u->options, part->name);
		return 0;
	}
	if (++u->files > 1)
		return err_set(e, ERR_INVALID, "%s", not_one_file.words);
	r = intake_begin(&u->intake, u->gateway, u->claims.username, part, u->expected, e);
	if (r == 0)
		r = upload_check_ceilings(u, e);
	u->store_lost = r < 0 && u->reached == CEILING_CLEAR;
	return r;
}

static int
upload_part_data(void *arg, const char *data, size_t len, struct err *e)
{
	struct upload *u = arg;
	int r;

	if (!u->in_file) {
		upload_options_data(&u->options, data, len);
		return 0;
	}
	if (u->intake.writer->length + (int64_t)len > u->room) {
		u->reached = CEILING_BYTES;
		return err_set(e, ERR_TOO_LARGE, "over what the user may store");
	}
	u->file_bytes += (int64_t)len;
	r = intake_write(&u->intake, data, len, e);
	u->store_lost = r < 0 && r != ERR_TOO_LARGE;
	return r;
}

static int
upload_part_end(void *arg, struct err *e)
{
	struct upload *u = arg;

	if (!u->in_file)
		return upload_options_end(&u->options, e);
	u->in_file = false;
	return 0;
}

static const struct multipart_events upload_events = { upload_part_begin, upload_part_data,
						       upload_part_end };

static int64_t
upload_expected_length(const struct http_request *req)
{
	int64_t length = http_content_length(req);

	return length > 0 ? length : 0;
}

/* False: the request was answered. */
static bool
upload_is_below_ceilings(struct http_request *req, const struct gateway *g,
			 const struct claims *claims)
{
	const struct ceiling_asked asked = { claims->username, upload_expected_length(req),
					     CEILING_NEW };
	struct err e = ERR_NONE;
	int64_t room;
	int r = ceiling_check(g, &asked, &room, &e);

	if (r < 0)
		refuse_error(req, REFUSAL_PLAIN, "upload", &e);
	else if (r > 0)
		refuse(req, REFUSAL_PLAIN, ceiling_refusal((enum ceiling)r));
	return r == CEILING_CLEAR;
}

void
gateway_upload_begin(struct http_request *req, void *gateway)
{
	const struct gateway *g = gateway;
	SCOPED(upload_free_p) struct upload *u = NULL;
	struct claims claims;
	struct err e = ERR_NONE;

	if (!authorize(req, g, REFUSAL_PLAIN, &claims))
		return;
	if (g->max_upload_bytes > 0 &&
	    http_content_length(req) > g->max_upload_bytes + MULTIPART_FRAME_ALLOWANCE) {
		refuse(req, REFUSAL_PLAIN, &too_large);
		return;
	}
	if (!upload_is_below_ceilings(req, g, &claims))
		return;
	u = calloc(1, sizeof *u);
	if (!u) {
		(void)err_set(&e, ERR_NO_MEMORY, "upload");
		refuse_error(req, REFUSAL_PLAIN, "upload", &e);
		return;
	}
	u->gateway = g;
	u->claims = claims;
	u->expected = upload_expected_length(req);
	u->room = INT64_MAX;
	if (multipart_init(&u->parser, http_header(req, "Content-Type"), &upload_events, u, &e) <
	    0) {
		refuse(req, REFUSAL_PLAIN, &not_one_file);
		return;
	}
	if (upload_options_query(&u->options, req, &e) < 0) {
		refuse(req, REFUSAL_PLAIN, &(struct refusal){ .status = 400, .words = e.text });
		return;
	}
	http_set_state(req, TAKE(u), upload_free);
}

/* What the sender did wrong is said at once, and the bytes stored so far go. With the store lost
 * the answer comes first: to clear up would wait for the same server, and is done when the request
 * ends (upload_free). */
static void
upload_refuse(struct http_request *req, struct upload *u, const struct err *e)
{
	if (u->store_lost) {
		refuse_error(req, REFUSAL_PLAIN, "upload", e);
		return;
	}
	intake_close(&u->intake);
	if (u->files > 1)
		refuse(req, REFUSAL_PLAIN, &not_one_file);
	else if (u->reached != CEILING_CLEAR)
		refuse(req, REFUSAL_PLAIN, ceiling_refusal(u->reached));
	else if (e->code == ERR_TOO_LARGE && u->in_file)
		refuse(req, REFUSAL_PLAIN, &too_large);
	else
		refuse(req, REFUSAL_PLAIN, &(struct refusal){ .status = 400, .words = e->text });
}

void
gateway_upload_body(struct http_request *req, void *gateway, const char *data, size_t len)
{
	struct upload *u = http_state(req);
	struct err e = ERR_NONE;

	(void)gateway;
	u->body_bytes += (int64_t)len;
	if (multipart_feed(&u->parser, data, len, &e) < 0) {
		upload_refuse(req, u, &e);
	} else if (u->body_bytes - u->file_bytes > MULTIPART_FRAME_ALLOWANCE) {
		/* without this a field, or what follows the last boundary, could go on for ever */
		intake_close(&u->intake);
		refuse(req, REFUSAL_PLAIN, &too_much);
	}
}

/* Its times are the ledger's; the upload is good whether they can be had or not. */
static void
upload_read_times(const struct upload *u, struct job *job)
{
	SCOPED_FREE struct job *now = calloc(1, sizeof *now);

	if (!now || job_get(u->gateway->jobs, &job->video_fid, now, NULL) < 0)
		return;
	job->created_ms = now->created_ms;
	job->updated_ms = now->updated_ms;
}

static void
upload_reply_accepted(struct http_request *req, struct upload *u)
{
	struct job *job = &u->intake.job;
	const char *accept = http_header(req, "Accept");
	bool wants_json = accept && strstr(accept, "application/json");
	SCOPED(str_free) struct str json = STR_MAX(65536);
	char location[sizeof "/jobs/" + BLOB_ID_DIGITS];
	struct http_header_line line = { "Location", location };
	struct http_reply reply = {
		.status = 200, .body = "success!", .headers = &line, .header_count = 1
	};

	(void)snprintf(location, sizeof location, "/jobs/%s", job->video_fid.hex);
	if (wants_json)
		upload_read_times(u, job);
	if (wants_json && job_write(job, &json, NULL) == 0) {
		reply.content_type = "application/json";
		reply.body = str_text(&json);
		reply.len = json.len;
	}
	http_reply(req, &reply);
}

/* What came without a length has announced nothing: others may have filled the room meanwhile.
 * False: the request was answered. */
static bool
upload_still_fits(struct http_request *req, struct upload *u)
{
	struct err e = ERR_NONE;
	int r = u->expected > 0 ? 0 : upload_check_ceilings(u, &e);

	if (r == 0 && u->intake.writer->length > u->room) {
		u->reached = CEILING_BYTES;
		r = err_set(&e, ERR_TOO_LARGE, "over what the user may store");
	}
	if (r == 0)
		return true;
	u->store_lost = u->reached == CEILING_CLEAR;
	upload_refuse(req, u, &e);
	return false;
}

void
gateway_upload_end(struct http_request *req, void *gateway)
{
	struct upload *u = http_state(req);
	struct err e = ERR_NONE;

	(void)gateway;
	if (multipart_finish(&u->parser, &e) < 0 || u->files != 1) {
		intake_close(&u->intake);
		refuse(req, REFUSAL_PLAIN, &not_one_file);
		return;
	}
	if (u->intake.writer->length == 0) {
		intake_close(&u->intake);
		refuse(req, REFUSAL_PLAIN, &file_empty);
		return;
	}
	if (!upload_still_fits(req, u))
		return;
	u->intake.job.spec = u->options.spec;
	if (intake_accept(&u->intake, &e) < 0) {
		refuse_error(req, REFUSAL_PLAIN, "upload", &e);
		return;
	}
	log_info(LOG_EVENT("upload_accepted"), LOG_STR("video_fid", u->intake.job.video_fid.hex),
		 LOG_STR("user", u->intake.job.username),
		 LOG_INT("bytes", u->intake.job.source.bytes));
	upload_reply_accepted(req, u);
}
