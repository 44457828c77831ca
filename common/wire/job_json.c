#include "wire/job_json.h"

#include <jansson.h>
#include <math.h>
#include <time.h>

#include "base/scope.h"
#include "wire/findings_json.h"
#include "wire/json_text.h"
#include "wire/loudness_json.h"

#define MESSAGE_MAX 65536

static json_t *
fid_or_null(const struct blob_id *id)
{
	return blob_id_is_none(id) ? json_null() : json_string(id->hex);
}

static json_t *
error_new(const struct job_error *error)
{
	return json_pack("{s:o, s:o}", "code", json_text_new(error->code), "message",
			 json_text_new(error->message));
}

int
job_message_write(const struct job_message *message, struct str *ret, struct err *e)
{
	SCOPED(json_decref_p) json_t *root = NULL;

	root = json_pack("{s:s, s:o, s:o}", "video_fid", message->video_fid.hex, "mp3_fid",
			 fid_or_null(&message->mp3_fid), "username",
			 json_text_new(message->username));
	if (root && message->error.code[0] != '\0' &&
	    json_object_set_new(root, "error", error_new(&message->error)) < 0)
		return err_set(e, ERR_NO_MEMORY, "job message");
	if (root && message->warnings.count > 0 &&
	    json_object_set_new(root, "warnings", warnings_json_new(&message->warnings)) < 0)
		return err_set(e, ERR_NO_MEMORY, "job message");
	/* Spaces after ':' and ',' as MsgQ's producers write them. */
	return json_append(TAKE(root), JSON_REAL_PRECISION(9), ret, e);
}

static int
read_fid(const json_t *root, const char *key, struct blob_id *ret, struct err *e)
{
	char text[BLOB_ID_DIGITS + 1];
	int r;

	if ((r = json_text_read(root, key, text, sizeof text, e)) < 0)
		return r;
	if (blob_id_parse(text, ret) < 0)
		return err_set(e, ERR_INVALID, "%s is not 24 hex digits", key);
	return 0;
}

/* mp3_fid matters in a result only: what stands there otherwise is not looked at. */
static int
read_result(const json_t *root, enum job_message_kind kind, struct job_message *ret, struct err *e)
{
	const json_t *error = json_object_get(root, "error");
	int r = 0;

	switch (kind) {
	case JOB_MESSAGE_VIDEO:
		return 0;
	case JOB_MESSAGE_MP3:
		warnings_json_read(json_object_get(root, "warnings"), &ret->warnings);
		return read_fid(root, "mp3_fid", &ret->mp3_fid, e);
	case JOB_MESSAGE_FAILED:
		if (!json_is_object(error))
			return err_set(e, ERR_INVALID, "error is no object");
		if ((r = json_text_read(error, "code", ret->error.code, sizeof ret->error.code,
					e)) < 0 ||
		    (r = json_text_read(error, "message", ret->error.message,
					sizeof ret->error.message, e)) < 0)
			return err_prefix(e, r, "error");
		return 0;
	}
	return err_set(e, ERR_INTERNAL, "unknown kind of message");
}

int
job_message_read(const char *bytes, size_t len, enum job_message_kind kind, struct job_message *ret,
		 struct err *e)
{
	SCOPED(json_decref_p) json_t *root = NULL;
	struct job_message message = { 0 };
	int r;

	if ((r = json_object_read(bytes, len, MESSAGE_MAX, &root, e)) < 0 ||
	    (r = read_fid(root, "video_fid", &message.video_fid, e)) < 0 ||
	    (r = json_text_read(root, "username", message.username, sizeof message.username, e)) <
		    0 ||
	    (r = read_result(root, kind, &message, e)) < 0)
		return r;
	*ret = message;
	return 0;
}

static json_t *
time_or_null(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char day[32];
	struct tm tm;

	if (ms <= 0 || gmtime_r(&seconds, &tm) == NULL ||
	    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return json_null();
	return json_sprintf("%s.%03dZ", day, (int)(ms % 1000));
}

/* JSON has no NaN; what the ledger cannot know is 0. */
static double
finite_or_zero(double real)
{
	return isfinite(real) ? real : 0;
}

static json_t *
real_or_null(bool known, double real)
{
	return known && isfinite(real) ? json_real(real) : json_null();
}

static json_t *
job_new(const struct job *job)
{
	bool runs = job->state == JOB_LEASED && job->progress.speed > 0;
	bool failed = job->error.code[0] != '\0' && job->state != JOB_DONE;

	return json_pack(
		"{s:s, s:s, s:o, s:o, s:i, s:f, s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:o, s:o, s:o, "
		"s:o}",
		"video_fid", job->video_fid.hex, "state", job_state_name(job->state), "mp3_fid",
		fid_or_null(&job->mp3_fid), "error", failed ? error_new(&job->error) : json_null(),
		"attempts", job->attempts, "progress", finite_or_zero(job->progress.fraction),
		"speed", real_or_null(runs, job->progress.speed), "remaining_s",
		real_or_null(runs && job->progress.remaining_s > 0, job->progress.remaining_s),
		"filename", json_text_new(job->source.filename), "bytes",
		(json_int_t)job->source.bytes, "duration_s", finite_or_zero(job->source.duration_s),
		"loudness", loudness_json_new(&job->loudness), "warnings",
		warnings_json_new(&job->warnings), "tracks", tracks_json_new(&job->tracks), "track",
		track_taken_json_new(&job->tracks), "created_at", time_or_null(job->created_ms),
		"updated_at", time_or_null(job->updated_ms));
}

int
job_write(const struct job *job, struct str *ret, struct err *e)
{
	return json_append(job_new(job), JSON_COMPACT | JSON_REAL_PRECISION(9), ret, e);
}

int
job_warnings_write(const struct warnings *warnings, struct str *ret, struct err *e)
{
	return json_append(warnings_json_new(warnings), JSON_COMPACT | JSON_REAL_PRECISION(9), ret,
			   e);
}

static json_t *
attempt_new(const struct job_attempt *attempt)
{
	bool known = attempt->began_ms > 0 && attempt->ended_ms >= attempt->began_ms;

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:s, s:o}", "owner", json_text_new(attempt->owner),
		"began_at", time_or_null(attempt->began_ms), "ended_at",
		time_or_null(attempt->ended_ms), "took_s",
		real_or_null(known, (double)(attempt->ended_ms - attempt->began_ms) / 1000), "end",
		job_end_name(attempt->end), "error",
		attempt->error[0] ? json_text_new(attempt->error) : json_null());
}

static int
record_add_history(json_t *root, const struct job_attempt *history, size_t count, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(list, attempt_new(&history[i])) < 0) {
			json_decref(list);
			return err_set(e, ERR_NO_MEMORY, "JSON");
		}
	return json_object_set_new(root, "history", list) < 0 ? err_set(e, ERR_NO_MEMORY, "JSON")
							      : 0;
}

int
job_record_write(const struct job *job, const struct job_attempt *history, size_t count,
		 struct str *ret, struct err *e)
{
	SCOPED(json_decref_p) json_t *root = job_new(job);
	bool leased = job->state == JOB_LEASED;
	int r;
	SCOPED(json_decref_p)
	json_t *more =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "username",
			  json_text_new(job->username), "content_type",
			  json_text_new(job->source.content_type), "lease_owner",
			  leased ? json_text_new(job->lease.owner) : json_null(), "lease_until",
			  leased ? time_or_null(job->lease.until_ms) : json_null(), "not_before",
			  time_or_null(job->not_before_ms), "video_published_at",
			  time_or_null(job->video_published_ms), "result_published_at",
			  time_or_null(job->result_published_ms), "notified_at",
			  time_or_null(job->notified_ms));

	if (root == NULL || more == NULL || json_object_update(root, more) < 0)
		return err_set(e, ERR_NO_MEMORY, "JSON");
	if (history && (r = record_add_history(root, history, count, e)) < 0)
		return r;
	return json_append(TAKE(root), JSON_COMPACT | JSON_REAL_PRECISION(9), ret, e);
}
