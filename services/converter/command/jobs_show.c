/* `converter jobs show`: all that is known of one job. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/legible.h"
#include "base/text/str.h"
#include "converter/command/findings.h"
#include "converter/command/jobs.h"
#include "wire/job_json.h"

#define JSON_MAX 65536

int
jobs_print_json(const struct job *job, const struct job_attempt *history, size_t count,
		struct err *e)
{
	SCOPED(str_free) struct str json = STR_MAX(JSON_MAX);
	int r = job_record_write(job, history, count, &json, e);

	if (r == 0)
		printf("%s\n", str_text(&json));
	return r;
}

static void
jobs_print_time(const char *name, int64_t ms)
{
	char text[32];

	clock_text(text, ms);
	printf("%-20s %s\n", name, text);
}

static void
jobs_print_text(const char *name, const char *text)
{
	printf("%-20s ", name);
	(void)legible_print(stdout, *text ? text : "-", *text ? strlen(text) : 1, 0);
	(void)putchar('\n');
}

static void
jobs_print_level(const char *name, bool known, double value)
{
	if (known)
		printf("%-20s %.2f\n", name, value);
	else
		jobs_print_text(name, "");
}

/* A line each; one that says so when there is none. */
static void
jobs_print_findings(const struct job *job)
{
	for (size_t i = 0; i < job->warnings.count; i++) {
		const struct warning *warning = &job->warnings.list[i];

		printf("%-20s %s, ", "warning", warning_code_name(warning->code));
		findings_print_warning(stdout, warning);
		(void)putchar('\n');
	}
	if (job->warnings.count == 0)
		jobs_print_text("warning", "");
	for (size_t i = 0; i < job->tracks.count; i++) {
		printf("track %-14zu ", i + 1);
		findings_print_track(stdout, &job->tracks.list[i]);
		(void)putchar('\n');
	}
}

/* done after 12.3 s, at 2026-01-31T12:00:00Z, by converter-5d9f/1/0a1b2c3d */
static void
jobs_print_attempt(size_t number, const struct job_attempt *attempt)
{
	char ended[CLOCK_TEXT_SIZE];

	clock_text(ended, attempt->ended_ms);
	printf("attempt %-12zu %s", number, job_end_name(attempt->end));
	if (attempt->error[0] != '\0')
		printf(" (");
	(void)legible_print(stdout, attempt->error, strlen(attempt->error), 0);
	if (attempt->error[0] != '\0')
		printf(")");
	if (attempt->began_ms > 0)
		printf(" after %.1f s", (double)(attempt->ended_ms - attempt->began_ms) / 1000);
	printf(", at %s, by ", ended);
	(void)legible_print(stdout, attempt->owner, strlen(attempt->owner), 0);
	(void)putchar('\n');
}

/* Of a done job what its last attempt took; the lines of all that ended. */
static void
jobs_print_history(const struct job *job, const struct job_attempt *history, size_t count)
{
	const struct job_attempt *last = count > 0 ? &history[count - 1] : NULL;

	if (job->state == JOB_DONE && last && last->end == JOB_END_DONE && last->began_ms > 0)
		printf("%-20s %.1f s\n", "took", (double)(last->ended_ms - last->began_ms) / 1000);
	else
		jobs_print_text("took", "");
	for (size_t i = 0; i < count; i++)
		jobs_print_attempt(i + 1, &history[i]);
}

static void
jobs_print_record(const struct job *job, const struct job_attempt *history, size_t count)
{
	jobs_print_text("video_fid", job->video_fid.hex);
	jobs_print_text("state", job_state_name(job->state));
	jobs_print_text("user", job->username);
	jobs_print_text("mp3_fid", job->mp3_fid.hex);
	jobs_print_text("error", job->error.code);
	jobs_print_text("error message", job->error.message);
	printf("%-20s %d\n", "attempts", job->attempts);
	jobs_print_history(job, history, count);
	printf("%-20s %.0f%%\n", "progress", job->progress.fraction * 100);
	printf("%-20s %.0f x realtime\n", "speed", job->progress.speed);
	if (job->progress.remaining_s > 0)
		printf("%-20s %.0f s\n", "remaining", job->progress.remaining_s);
	else
		jobs_print_text("remaining", "");
	jobs_print_text("file", job->source.filename);
	jobs_print_text("content type", job->source.content_type);
	printf("%-20s %" PRId64 "\n", "bytes", job->source.bytes);
	printf("%-20s %.3f\n", "duration_s", job->source.duration_s);
	jobs_print_level("integrated_lufs", job->loudness.has_integrated,
			 job->loudness.integrated_lufs);
	jobs_print_level("range_lu", job->loudness.has_range, job->loudness.range_lu);
	jobs_print_level("true_peak_dbtp", job->loudness.has_true_peak,
			 job->loudness.true_peak_dbtp);
	jobs_print_findings(job);
	jobs_print_text("lease owner", job->lease.owner);
	jobs_print_time("lease until", job->lease.until_ms);
	jobs_print_time("not before", job->not_before_ms);
	jobs_print_time("created", job->created_ms);
	jobs_print_time("updated", job->updated_ms);
	jobs_print_time("video published", job->video_published_ms);
	jobs_print_time("result published", job->result_published_ms);
	jobs_print_time("notified", job->notified_ms);
}

int
jobs_show(const struct command_call *call)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	struct err e = ERR_NONE;
	struct job_attempt history[JOB_HISTORY_MAX];
	struct blob_id video;
	struct job job;
	size_t count;

	if (blob_id_parse(call->operands[0], &video) < 0)
		return command_wrong(call, "a video_fid is 24 hex digits");
	if (open_ledger_open(call->config, &open, &e) < 0 ||
	    job_get(&open.ledger->life, &video, &job, &e) < 0 ||
	    job_history(&open.ledger->desk, &video, history, &count, &e) < 0)
		return converter_failed(call, "show", &e);
	if (!command_given(call, "json"))
		jobs_print_record(&job, history, count);
	else if (jobs_print_json(&job, history, count, &e) < 0)
		return converter_failed(call, "show", &e);
	return COMMAND_DONE;
}
