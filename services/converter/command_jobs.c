/* `converter jobs`: the ledger as an operator sees it, and failed jobs once again. */
#include <inttypes.h>
#include <string.h>

#include "base/text/str.h"
#include "converter/command.h"
#include "converter/config.h"
#include "wire/job_json.h"

#define USER_COLUMNS 24
#define TEXT_COLUMNS 48
#define JSON_MAX 65536

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
ledger_open(const struct converter_config *config, struct open_ledger *ret, struct err *e)
{
	return converter_ledger_open(config, &ret->backend, &ret->ledger, e);
}

static int
print_json(const struct job *job, struct err *e)
{
	SCOPED(str_free) struct str json = STR_MAX(JSON_MAX);
	int r = job_record_write(job, &json, e);

	if (r == 0)
		printf("%s\n", str_text(&json));
	return r;
}

static void
put_column(const char *text, int width)
{
	int used = command_put_text(stdout, text, strlen(text), width);

	printf("%*s  ", width - used, "");
}

static void
print_row(const struct job *job)
{
	char updated[32];
	/* a waiting job's last error tells why it waits */
	const char *text = job->state == JOB_DONE       ? job->mp3_fid.hex
			   : job->error.message[0] != 0 ? job->error.message
							: job->source.filename;

	command_time(updated, job->updated_ms);
	printf("%-24s  %-9s  ", job->video_fid.hex, job_state_name(job->state));
	put_column(job->username, USER_COLUMNS);
	printf("%8d  %-20s  ", job->attempts, updated);
	if (job->state == JOB_LEASED)
		printf("%.0f %%, %.0f s left: ", job->progress.fraction * 100,
		       job->progress.remaining_s);
	(void)command_put_text(stdout, text, strlen(text), TEXT_COLUMNS);
	(void)putchar('\n');
}

static int
print_jobs(const struct job *jobs, size_t count, bool json, struct err *e)
{
	int r;

	if (!json)
		printf("%-24s  %-9s  %-*s  %8s  %-20s  %s\n", "video_fid", "state", USER_COLUMNS,
		       "user", "attempts", "updated", "mp3_fid, error or file");
	for (size_t i = 0; i < count; i++) {
		if (!json)
			print_row(&jobs[i]);
		else if ((r = print_json(&jobs[i], e)) < 0)
			return r;
	}
	return 0;
}

static int
list(const struct command_options *o, const void *config)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	SCOPED_FREE struct job *jobs = calloc((size_t)o->limit, sizeof *jobs);
	struct job_filter filter = { .username = o->user };
	enum job_state state;
	struct err e = ERR_NONE;
	size_t count = 0;

	if (o->state && job_state_parse(o->state, &state) < 0) {
		(void)fputs("converter: --state: uploading, queued, leased, done, failed, canceled "
			    "or expired\n",
			    stderr);
		return COMMAND_USAGE;
	}
	if (o->user && !utf8_valid(o->user, strlen(o->user))) {
		(void)fputs("converter: --user: no UTF-8\n", stderr);
		return COMMAND_USAGE;
	}
	if (o->state)
		filter.state = &state;
	if (jobs == NULL)
		return command_failed("list", (err_set(&e, ERR_NO_MEMORY, "jobs"), &e));
	if (ledger_open(config, &open, &e) < 0 ||
	    job_list(&open.ledger->desk, &filter, jobs, (size_t)o->limit, &count, &e) < 0 ||
	    print_jobs(jobs, count, o->json, &e) < 0)
		return command_failed("list", &e);
	return COMMAND_DONE;
}

static void
print_time(const char *name, int64_t ms)
{
	char text[32];

	command_time(text, ms);
	printf("%-20s %s\n", name, text);
}

static void
print_text(const char *name, const char *text)
{
	printf("%-20s ", name);
	(void)command_put_text(stdout, *text ? text : "-", *text ? strlen(text) : 1, 0);
	(void)putchar('\n');
}

static void
print_level(const char *name, bool known, double value)
{
	if (known)
		printf("%-20s %.2f\n", name, value);
	else
		print_text(name, "");
}

static void
print_record(const struct job *job)
{
	print_text("video_fid", job->video_fid.hex);
	print_text("state", job_state_name(job->state));
	print_text("user", job->username);
	print_text("mp3_fid", job->mp3_fid.hex);
	print_text("error", job->error.code);
	print_text("error message", job->error.message);
	printf("%-20s %d\n", "attempts", job->attempts);
	printf("%-20s %.0f%%\n", "progress", job->progress.fraction * 100);
	printf("%-20s %.0f x realtime\n", "speed", job->progress.speed);
	printf("%-20s %.0f s\n", "remaining", job->progress.remaining_s);
	print_text("file", job->source.filename);
	print_text("content type", job->source.content_type);
	printf("%-20s %" PRId64 "\n", "bytes", job->source.bytes);
	printf("%-20s %.3f\n", "duration_s", job->source.duration_s);
	print_level("integrated_lufs", job->loudness.has_integrated, job->loudness.integrated_lufs);
	print_level("range_lu", job->loudness.has_range, job->loudness.range_lu);
	print_level("true_peak_dbtp", job->loudness.has_true_peak, job->loudness.true_peak_dbtp);
	print_text("lease owner", job->lease.owner);
	print_time("lease until", job->lease.until_ms);
	print_time("not before", job->not_before_ms);
	print_time("created", job->created_ms);
	print_time("updated", job->updated_ms);
	print_time("video published", job->video_published_ms);
	print_time("result published", job->result_published_ms);
	print_time("notified", job->notified_ms);
}

static int
read_fid(const char *text, struct blob_id *ret)
{
	if (blob_id_parse(text, ret) == 0)
		return 0;
	(void)fputs("converter: a video_fid is 24 hex digits\n", stderr);
	return COMMAND_USAGE;
}

static int
show(const struct command_options *o, const void *config)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	struct job job;

	if (read_fid(o->operands[0], &video) != 0)
		return COMMAND_USAGE;
	if (ledger_open(config, &open, &e) < 0 || job_get(&open.ledger->life, &video, &job, &e) < 0)
		return command_failed("show", &e);
	if (!o->json)
		print_record(&job);
	else if (print_json(&job, &e) < 0)
		return command_failed("show", &e);
	return COMMAND_DONE;
}

/* Why nothing was requeued: there is no such job, or it has not failed. */
static int
explain(struct job_life *life, const struct blob_id *video, struct err *e)
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
retry_one(struct ledger *ledger, const char *text)
{
	struct err e = ERR_NONE;
	struct blob_id video;
	int64_t n = 0;

	if (blob_id_parse(text, &video) < 0) /* checked before */
		return COMMAND_USAGE;
	if (job_requeue_failed(&ledger->desk, &video, NULL, &n, &e) < 0 ||
	    (n == 0 && explain(&ledger->life, &video, &e) < 0))
		return command_failed("retry", &e);
	printf("queued %s again\n", video.hex);
	return COMMAND_DONE;
}

static int
retry(const struct command_options *o, const void *config)
{
	SCOPED(open_ledger_close) struct open_ledger open = { 0 };
	struct err e = ERR_NONE;
	struct blob_id video;
	int result = COMMAND_DONE;
	int64_t n = 0;

	if (o->user && !o->all) {
		(void)fputs("converter: --user goes with --all-failed\n", stderr);
		return COMMAND_USAGE;
	}
	for (int i = 0; i < o->operand_count; i++)
		if (read_fid(o->operands[i], &video) != 0)
			return COMMAND_USAGE;
	if (ledger_open(config, &open, &e) < 0)
		return command_failed("retry", &e);
	for (int i = 0; i < o->operand_count; i++)
		if (retry_one(open.ledger, o->operands[i]) != COMMAND_DONE)
			result = COMMAND_FAILED;
	if (!o->all)
		return result;
	if (job_requeue_failed(&open.ledger->desk, NULL, o->user, &n, &e) < 0)
		return command_failed("retry", &e);
	printf("queued %" PRId64 " job%s again\n", n, n == 1 ? "" : "s");
	return COMMAND_DONE;
}

#define FIDS_MAX 10000

int
command_jobs(int argc, char **argv, const void *config)
{
	static const struct command_verb verbs[] = {
		{ "list", list, "state user limit json", 0, 0,
		  "list [--state STATE] [--user NAME] [--limit N] [--json]" },
		{ "show", show, "json", 1, 1, "show VIDEO_FID [--json]" },
		{ "retry", retry, "all-failed user", 1, FIDS_MAX,
		  "retry VIDEO_FID... | --all-failed [--user NAME]" },
		{ 0 },
	};
	static const char notes[] = "list: the newest first; STATE is uploading, queued, leased, "
				    "done, failed, canceled "
				    "or\nexpired; N is 1 to 10000 (100).\nretry: a failed job "
				    "waits again, its attempts "
				    "forgotten, and is published within seconds by\nthe relay of a "
				    "gateway or converter "
				    "that runs; its new result is announced again.\n";

	return command_run(argc, argv, verbs, notes, config);
}
