/* `converter janitor`: one run, for a CronJob, and its report. */
#include <inttypes.h>
#include <string.h>

#include "converter/command.h"
#include "converter/config.h"
#include "converter/janitor.h"

struct janitor_options {
	bool dry_run, foreign, json;
};

static const char words[] =
	"usage:\n"
	"  converter janitor [--dry-run] [--foreign] [--json]\n"
	"Removes uploads that ended without an answer and chunks of attempts that died\n"
	"(JANITOR_GRACE), and videos and mp3s past RETENTION_VIDEO and RETENTION_AUDIO; blobs\n"
	"that carry no metadata of ours are kept for ever. Any number may run at any time.\n"
	"--dry-run: counts, changes nothing. --foreign: also chunks that belong to no blob and\n"
	"no job, when the newest is older than 48 h. --json: the report as one JSON object.\n"
	"Exit: 0 done, 1 failed, 100 usage.\n";

static int
usage(FILE *to)
{
	(void)fputs(words, to);
	return to == stdout ? COMMAND_DONE : COMMAND_USAGE;
}

/* -1: unknown words. */
static int
read_options(int argc, char **argv, struct janitor_options *o)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dry-run") == 0)
			o->dry_run = true;
		else if (strcmp(argv[i], "--foreign") == 0)
			o->foreign = true;
		else if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else
			return -1;
	}
	return 0;
}

static void
print_table(const struct janitor_report *report, bool dry_run)
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
print_json(const struct janitor_report *report, bool dry_run)
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

int
command_janitor(int argc, char **argv, const void *arg)
{
	const struct converter_config *config = arg;
	SCOPED(converter_stores_close) struct converter_stores s = { 0 };
	struct janitor_options o = { 0 };
	struct janitor_report report = { 0 };
	struct err e = ERR_NONE;
	int r;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return usage(stdout);
	if (read_options(argc, argv, &o) < 0)
		return usage(stderr);
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
				.foreign = o.foreign,
				.dry_run = o.dry_run,
			},
			&report, &e);
	if (o.json)
		print_json(&report, o.dry_run);
	else
		print_table(&report, o.dry_run);
	if (r < 0)
		return command_failed("janitor", &e);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fputs("converter: standard output could not be written\n", stderr);
		return COMMAND_FAILED;
	}
	return COMMAND_DONE;
}
