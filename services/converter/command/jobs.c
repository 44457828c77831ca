/* `converter jobs`: the ledger as an operator sees it, and failed jobs once again. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/legible.h"
#include "base/text/str.h"
#include "converter/command/command.h"
#include "converter/command/findings.h"
#include "converter/config.h"
#include "wire/job_json.h"

#define USER_COLUMNS 24
#define TEXT_COLUMNS 48
#define JSON_MAX 65536
#define JOBS_STATES "uploading, queued, leased, done, failed, canceled or expired"

struct open_ledger {
	struct backend *backend;
	struct ledger *ledger;
};

static void
open_ledger_close(struct open_ledger *l)
{
	backend_close(l->backend);
}

static int
open_ledger_open(const struct converter_config *config, struct open_ledger *ret, struct err *e)
{
	return converter_ledger_open(config, &ret->backend, &ret->ledger, e);
}

static int
jobs_print_json(const struct job *job, struct err *e)
{
	SCOPED(str_free) struct str json = STR_MAX(JSON_MAX);
	int r = job_record_write(job, &json, e);

	if (r == 0)
		printf("%s\n", str_text(&json));
	return r;
}

static void
jobs_put_column(const char *text, int width)
{
	int used = legible_print(stdout, text, strlen(text), width);

	printf("%*s  ", width - used, "");
}

static void
jobs_print_row(const struct job *job)
{
	char updated[32];
	/* a waiting job's last error tells why it waits */
	const char *text = job->state == JOB_DONE       ? job->mp3_fid.hex
			   : job->error.message[0] != 0 ? job->error.message
							: job->source.filename;

	clock_text(updated, job->updated_ms);
	printf("%-24s  %-9s  ", job->video_fid.hex, job_state_name(job->state));
	jobs_put_column(job->username, USER_COLUMNS);
	printf("%8d  %-20s  ", job->attempts, updated);
	if (job->state == JOB_LEASED)
		printf("%.0f %%", job->progress.fraction * 100);
	if (job->progress.remaining_s > 0)
		printf(", %.0f s left", job->progress.remaining_s);
	if (job->state == JOB_LEASED)
		printf(": ");
	(void)legible_print(stdout, text, strlen(text), TEXT_COLUMNS);
	(void)putchar('\n');
}

static int
jobs_print_all(const struct job *jobs, size_t count, bool json, struct err *e)
{
	int r;

	if (!json)
		printf("%-24s  %-9s  %-*s  %8s  %-20s  %s\n", "video_fid", "state", USER_COLUMNS,
		       "user", "attempts", "updated", "mp3_fid, error or file");
	for (size_t i = 0; i < count; i++) {
		if (!json)
			jobs_print_row(&jobs[i]);
		else if ((r = jobs_print_json(&jobs[i], e)) < 0)
			return r;
	}
	return 0;
}

/* Reads --state and --user, or says what is wrong with them. */
static int
jobs_read_filter(const struct command_call *call, enum job_state *state, struct job_filter *ret)
{
	const char *text = command_text(call, "state"), *user = command_text(call, "user");

	if (text && job_state_parse(text, state) < 0)
		return command_wrong(call, "--state: " JOBS_STATES);
	if (user && !utf8_valid(user, strlen(user)))
		return command_wrong(call, "--user: no UTF-8");
	*ret = (struct job_filter){ .username = user, .state = text ? state : NULL };
	return COMMAND_DONE;
}

static int
jobs_list(const struct command_call *call)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	size_t limit = (size_t)command_number(call, "limit"), count = 0;
	SCOPED_FREE struct job *jobs = calloc(limit, sizeof *jobs);
	struct job_filter filter;
	enum job_state state;
	struct err e = ERR_NONE;

	if (jobs_read_filter(call, &state, &filter) != COMMAND_DONE)
		return COMMAND_USAGE;
	if (!jobs)
		return converter_failed(call, "list", (err_set(&e, ERR_NO_MEMORY, "jobs"), &e));
	if (open_ledger_open(call->config, &open, &e) < 0 ||
	    job_list(&open.ledger->desk, &filter, jobs, limit, &count, &e) < 0 ||
	    jobs_print_all(jobs, count, command_given(call, "json"), &e) < 0)
		return converter_failed(call, "list", &e);
	return COMMAND_DONE;
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

static void
jobs_print_record(const struct job *job)
{
	jobs_print_text("video_fid", job->video_fid.hex);
	jobs_print_text("state", job_state_name(job->state));
	jobs_print_text("user", job->username);
	jobs_print_text("mp3_fid", job->mp3_fid.hex);
	jobs_print_text("error", job->error.code);
	jobs_print_text("error message", job->error.message);
	printf("%-20s %d\n", "attempts", job->attempts);
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

static int
jobs_show(const struct command_call *call)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	struct job job;

	if (blob_id_parse(call->operands[0], &video) < 0)
		return command_wrong(call, "a video_fid is 24 hex digits");
	if (open_ledger_open(call->config, &open, &e) < 0 ||
	    job_get(&open.ledger->life, &video, &job, &e) < 0)
		return converter_failed(call, "show", &e);
	if (!command_given(call, "json"))
		jobs_print_record(&job);
	else if (jobs_print_json(&job, &e) < 0)
		return converter_failed(call, "show", &e);
	return COMMAND_DONE;
}

/* Why nothing was requeued: there is no such job, or it has not failed. */
static int
jobs_explain(struct job_life *life, const struct blob_id *video, struct err *e)
{
	struct job job;
	int r = job_get(life, video, &job, e);

	if (r < 0)
		return r;
	if (job.state == JOB_FAILED)
		return err_set(e, ERR_CONFLICT, "the video of job %s has expired", video->hex);
	return err_set(e, ERR_CONFLICT, "job %s is %s, not failed", video->hex,
		       job_state_name(job.state));
}

static int
jobs_retry_one(const struct command_call *call, struct ledger *ledger, const char *text)
{
	struct err e = ERR_NONE;
	struct blob_id video;
	int64_t n = 0;

	if (blob_id_parse(text, &video) < 0) /* checked before */
		return COMMAND_USAGE;
	if (job_requeue_failed(&ledger->desk, &video, NULL, &n, &e) < 0 ||
	    (n == 0 && jobs_explain(&ledger->life, &video, &e) < 0))
		return converter_failed(call, "retry", &e);
	printf("queued %s again\n", video.hex);
	return COMMAND_DONE;
}

static int
jobs_retry_all(const struct command_call *call, struct ledger *ledger)
{
	struct err e = ERR_NONE;
	int64_t n = 0;

	if (job_requeue_failed(&ledger->desk, NULL, command_text(call, "user"), &n, &e) < 0)
		return converter_failed(call, "retry", &e);
	printf("queued %" PRId64 " job%s again\n", n, n == 1 ? "" : "s");
	return COMMAND_DONE;
}

static int
jobs_retry(const struct command_call *call)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	int result = COMMAND_DONE;

	if (command_given(call, "user") && !command_given(call, "all-failed"))
		return command_wrong(call, "--user goes with --all-failed");
	for (int i = 0; i < call->operand_count; i++)
		if (blob_id_parse(call->operands[i], &video) < 0)
			return command_wrong(call, "a video_fid is 24 hex digits");
	if (open_ledger_open(call->config, &open, &e) < 0)
		return converter_failed(call, "retry", &e);
	if (command_given(call, "all-failed"))
		return jobs_retry_all(call, open.ledger);
	for (int i = 0; i < call->operand_count; i++)
		if (jobs_retry_one(call, open.ledger, call->operands[i]) != COMMAND_DONE)
			result = COMMAND_FAILED;
	return result;
}

#define JOBS_USER(words)                                                                           \
	{                                                                                          \
		.type = COMMAND_TEXT, .name = "user", .value = "NAME", .help = words               \
	}

static const struct command_option jobs_list_options[] = {
	{ .type = COMMAND_TEXT, .name = "state", .value = "STATE", .help = JOBS_STATES },
	JOBS_USER("only this user's"),
	COMMAND_LIMIT,
	COMMAND_JSON,
	{ 0 },
};
static const struct command_option jobs_show_options[] = { COMMAND_JSON, { 0 } };
static const struct command_option jobs_retry_options[] = {
	{ .type = COMMAND_INSTEAD, .name = "all-failed", .help = "every failed job" },
	JOBS_USER("of --all-failed, only this user's"),
	{ 0 },
};

static const struct command_verb jobs_verbs[] = {
	{ "list", NULL, jobs_list_options, "Lists jobs, the newest first.", jobs_list },
	{ "show", "VIDEO_FID", jobs_show_options, "Shows all that is known of one job.",
	  jobs_show },
	{ "retry", "VIDEO_FID...", jobs_retry_options,
	  "Lets failed jobs wait again, their attempts forgotten. The relay of a gateway or\n"
	  "converter that runs publishes them within seconds; a new result is announced again.",
	  jobs_retry },
	{ 0 },
};

const struct command command_jobs = {
	.name = "jobs",
	.summary = "list or show jobs of the ledger, retry failed ones",
	.verbs = jobs_verbs,
};
