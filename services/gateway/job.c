/* GET /jobs/<video_fid>: how a job stands, for its owner. */
#include "gateway/gateway.h"

#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "gateway/authorize.h"
#include "gateway/refusal.h"
#include "wire/job_json.h"

#define JOB_JSON_MAX 65536

static void
gateway_reply_job(struct http_request *req, const struct job *job)
{
	SCOPED(str_free) struct str json = STR_MAX(JOB_JSON_MAX);
	struct http_header_line lines[] = { { "Cache-Control", "no-store" } };
	struct err e = ERR_NONE;

	if (job_write(job, &json, &e) < 0) {
		refuse_error(req, REFUSAL_PROBLEM, "job", &e);
		return;
	}
	http_reply(req, &(struct http_reply){ .status = 200,
					      .content_type = "application/json",
					      .body = str_text(&json),
					      .len = json.len,
					      .headers = lines,
					      .header_count = ARRAY_LEN(lines) });
}

void
gateway_job(struct http_request *req, void *gateway)
{
	static const struct refusal malformed = { 400, "fid is malformed", NULL, 0 };
	static const struct refusal unknown = { 404, "not found", NULL, 0 };
	const struct gateway *g = gateway;
	SCOPED_FREE struct job *job = NULL;
	struct claims claims;
	struct blob_id fid;
	struct err e = ERR_NONE;
	int r;

	if (!authorize(req, g, REFUSAL_PROBLEM, &claims))
		return;
	if (blob_id_parse(http_path_tail(req), &fid) < 0) {
		refuse(req, REFUSAL_PROBLEM, &malformed);
		return;
	}
	job = calloc(1, sizeof *job);
	r = !job ? err_set(&e, ERR_NO_MEMORY, "job") : job_get(g->jobs, &fid, job, &e);
	/* someone else's job and no job look the same: ids are not to be probed */
	if (r == ERR_NOT_FOUND || (r == 0 && strcmp(job->username, claims.username) != 0))
		refuse(req, REFUSAL_PROBLEM, &unknown);
	else if (r < 0)
		refuse_error(req, REFUSAL_PROBLEM, "job", &e);
	else
		gateway_reply_job(req, job);
}
