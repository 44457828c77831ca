/* `converter janitor`: one run, for a CronJob, and its report. */
#include <inttypes.h>
#include <string.h>

#include "converter/command/command.h"
#include "converter/config.h"
#include "converter/janitor.h"

static void
janitor_print_table(const struct janitor_report *report, bool dry_run)
{
	printf("%-10s  %14s  %12s  %16s\n", "what", dry_run ? "would remove" : "removed", "chunks",
	       "bytes of blobs");
	for (int i = 0; i < JANITOR_KINDS; i++)
		printf("%-10s  %14" PRId64 "  %12" PRId64 "  %16" PRId64 "\n",
		       janitor_kind_name((enum janitor_kind)i), report->kinds[i].removed,
		       report->kinds[i].chunks, report->kinds[i].bytes);
	printf("left alone: %" PRId64 " in use, %" PRId64 " expired but not ours; failed: %" PRId64
	       "\n",
	       report->in_use, report->foreign, report->failed);
}

static void
janitor_print_json(const struct janitor_report *report, bool dry_run)
{
	printf("{\"dry_run\":%s", dry_run ? "true" : "false");
	for (int i = 0; i < JANITOR_KINDS; i++)
		printf(",\"%s\":{\"removed\":%" PRId64 ",\"chunks\":%" PRId64 ",\"bytes\":%" PRId64
		       "}",
		       janitor_kind_name((enum janitor_kind)i), report->kinds[i].removed,
		       report->kinds[i].chunks, report->kinds[i].bytes);
	printf(",\"in_use\":%" PRId64 ",\"not_ours\":%" PRId64 ",\"failed\":%" PRId64 "}\n",
	       report->in_use, report->foreign, report->failed);
}

static int
janitor_run_once(const struct command_call *call)
{
	const struct converter_config *config = call->config;
	SCOPED(converter_stores_close) struct converter_stores s = { 0 };
	bool dry_run = command_given(call, "dry-run");
	struct janitor_report report = { 0 };
	struct err e = ERR_NONE;
	int r;

	if ((r = converter_stores_open(config, &s, &e)) == 0)
		r = janitor_run(
			&(struct janitor_config){
				.videos = s.videos,
				.mp3s = s.mp3s,
				.jobs = &s.ledger->leftover,
				.clock = clock_system(),
				.grace_ms = config->janitor_grace_ms,
				.retention_video_ms = config->retention_video_ms,
				.retention_audio_ms = config->retention_audio_ms,
				.foreign = command_given(call, "foreign"),
				.dry_run = dry_run,
			},
			&report, &e);
	if (command_given(call, "json"))
		janitor_print_json(&report, dry_run);
	else
		janitor_print_table(&report, dry_run);
	return r < 0 ? converter_failed(call, "janitor", &e) : COMMAND_DONE;
}

static const struct command_option janitor_options[] = {
	{ .name = "dry-run", .help = "counts, changes nothing" },
	{ .name = "foreign",
	  .help = "also chunks of no blob and no job, the newest older than 48 h" },
	{ .name = "json", .help = "the report as one JSON object" },
	{ 0 },
};
static const struct command_verb janitor_verbs[] = {
	{ NULL, NULL, janitor_options,
	  "Removes uploads that ended without an answer and chunks of attempts that died\n"
	  "(JANITOR_GRACE), and videos and mp3s past RETENTION_VIDEO and RETENTION_AUDIO; blobs\n"
	  "that carry no metadata of ours are kept for ever. Any number may run at any time.",
	  janitor_run_once },
	{ 0 },
};

const struct command command_janitor = {
	.name = "janitor",
	.summary = "remove what uploads and attempts left, and what has expired",
	.verbs = janitor_verbs,
};
