/* `converter jobs`: the ledger as an operator sees it, and failed jobs once again. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text/legible.h"
#include "converter/command/jobs.h"

#define USER_COLUMNS 24
#define TEXT_COLUMNS 48
#define JOBS_STATES "uploading, queued, leased, done, failed, canceled or expired"

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
		else if ((r = jobs_print_json(&jobs[i], NULL, 0, e)) < 0)
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
static const struct command_option jobs_fetch_options[] = {
	{ .type = COMMAND_FLAG, .name = "force", .help = "replace OUT where it exists" },
	{ 0 },
};
static const struct command_option jobs_retry_options[] = {
	{ .type = COMMAND_INSTEAD, .name = "all-failed", .help = "every failed job" },
	JOBS_USER("of --all-failed, only this user's"),
	{ 0 },
};

static const struct command_verb jobs_verbs[] = {
	{ "list", NULL, jobs_list_options, "Lists jobs, the newest first.", jobs_list },
	{ "show", "VIDEO_FID", jobs_show_options, "Shows all that is known of one job.",
	  jobs_show },
	{ "fetch", "VIDEO_FID OUT", jobs_fetch_options,
	  "Writes the result of a done job to OUT, which appears when it is whole; - is standard "
	  "output.",
	  jobs_fetch },
	{ "delete", "VIDEO_FID...", NULL,
	  "Removes the videos and results of jobs that have ended. A done job is expired then, a "
	  "failed one cannot be retried. This cannot be taken back.",
	  jobs_delete },
	{ "retry", "VIDEO_FID...", jobs_retry_options,
	  "Lets failed jobs wait again, their attempts forgotten. The relay of a gateway or\n"
	  "converter that runs publishes them within seconds; a new result is announced again.",
	  jobs_retry },
	{ 0 },
};

const struct command command_jobs = {
	.name = "jobs",
	.summary = "list or show jobs, fetch or delete their files, retry failed ones",
	.verbs = jobs_verbs,
};
