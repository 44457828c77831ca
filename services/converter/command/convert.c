/* `converter convert IN OUT`: one file through the same worker behind the same walls, without any
 * server: to look at a file that fails, and to measure. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/text/str.h"
#include "converter/command/command.h"
#include "converter/config.h"
#include "converter/command/file_blob.h"
#include "converter/command/findings.h"
#include "converter/command/progress_bar.h"
#include "converter/pace.h"
#include "port/encoder.h"
#include "wire/report_json.h"

/* The file cannot be converted, now or ever: the reason is the file's. */
#define COMMAND_UNFIT 2
#define FORMATS_MAX 128

/* A handler has no argument. */
static volatile sig_atomic_t convert_stopped_by;

struct convert_show {
	bool shown;
	struct pace pace;
};

static void
convert_on_signal(int number)
{
	convert_stopped_by = number;
}

/* The first one lets what is half made be removed, a second one ends at once. What whoever started
 * us wants ignored (nohup) stays so. */
static void
convert_watch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = convert_on_signal,
				    .sa_flags = SA_RESTART | (int)SA_RESETHAND };
	struct sigaction was;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
}

static int
convert_show_progress(void *arg, const struct encode_progress *progress, struct err *e)
{
	struct convert_show *show = arg;
	struct job_progress pace = pace_of(&show->pace, progress, now_monotonic_ms());

	if (convert_stopped_by)
		return err_set(e, ERR_UNAVAILABLE, "stopped by a signal");
	if (progress->fraction >= 0 && progress_bar_draw(&pace))
		show->shown = true;
	return 0;
}

static void
convert_print_warnings(const struct warnings *warnings)
{
	for (size_t i = 0; i < warnings->count; i++) {
		(void)fprintf(stderr, "converter: warning: ");
		findings_print_warning(stderr, &warnings->list[i]);
		(void)fputc('\n', stderr);
	}
}

static int
convert_print_report(const struct command_call *call, const struct conversion_report *report)
{
	/* standard output may be the result itself */
	FILE *to = file_is_standard(call->operands[1]) ? stderr : stdout;
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct err e = ERR_NONE;

	if (command_given(call, "json")) {
		if (conversion_report_write(report, &text, &e) < 0)
			return command_failed(call, "convert", &e, NULL);
		(void)fprintf(to, "%s\n", str_text(&text));
	} else if (report->error.code[0] != '\0') {
		(void)fprintf(stderr, "converter: %s (%s)\n", report->error.message,
			      report->error.code);
	} else {
		(void)fprintf(to,
			      "%.3f s of sound, %" PRId64 " bytes, in %.2f s: %.0f x realtime\n",
			      report->duration_s, report->bytes, report->took_s,
			      report->took_s > 0 ? report->duration_s / report->took_s : 0);
		convert_print_warnings(&report->warnings);
	}
	return COMMAND_DONE;
}

/* The file's own fault, or ours. */
static int
convert_exit_code(int r)
{
	if (r == 0)
		return COMMAND_DONE;
	return r == ERR_INVALID || r == ERR_TOO_LARGE || r == ERR_CORRUPT ? COMMAND_UNFIT
									  : COMMAND_FAILED;
}

/* The names of the formats that can be made: "mp3, wav". */
static const char *
convert_list_formats(char to[FORMATS_MAX])
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < MEDIA_FORMATS && used < FORMATS_MAX; i++) {
		const struct media_format_info *info = media_format_info((enum media_format)i);

		if (info->rates)
			used += (size_t)snprintf(to + used, FORMATS_MAX - used, "%s%s",
						 used > 0 ? ", " : "", info->name);
	}
	return to;
}

/* The format is --format's, else what the ending of the result's name says; both must not say
 * different things. Standard output without --format is an mp3. */
static int
convert_choose_format(const struct command_call *call, struct media_spec *ret)
{
	const char *to = call->operands[1], *asked = command_text(call, "format");
	enum media_format ending = media_format_of_file(to);
	struct media_spec spec = { .format = ending };
	char known[FORMATS_MAX];

	if (asked)
		spec.format = media_format_named(asked);
	else if (file_is_standard(to))
		spec.format = MEDIA_MP3;
	if (media_spec_settle(&spec, NULL) < 0)
		return asked ? command_wrong(call, "--format %.40s: not one of %s", asked,
					     convert_list_formats(known))
			     : command_wrong(call,
					     "%.200s: its ending is not one of %s (--format "
					     "says it too)",
					     to, convert_list_formats(known));
	if (ending != MEDIA_UNKNOWN && ending != spec.format)
		return command_wrong(call, "%.200s and --format %s contradict each other", to,
				     asked);
	*ret = spec;
	return COMMAND_DONE;
}

static int
convert_read_options(const struct command_call *call, struct media_spec *ret)
{
	struct err e = ERR_NONE;
	int code = convert_choose_format(call, ret);

	if (code != COMMAND_DONE)
		return code;
	ret->strict = command_given(call, "strict");
	if (command_given(call, "gaps") &&
	    media_option_set(ret, MEDIA_OPTION_GAPS, command_text(call, "gaps"), &e) < 0)
		return command_wrong(call, "--%s", e.text);
	return COMMAND_DONE;
}

static int
convert_file(struct encoder *encoder, const struct command_call *call,
	     const struct media_spec *spec, struct conversion_report *report, struct err *e)
{
	SCOPED(blob_reader_close_p) struct blob_reader *in = NULL;
	SCOPED(blob_writer_close_p) struct blob_writer *out = NULL;
	const char *from = call->operands[0], *to = call->operands[1];
	bool force = command_given(call, "force");
	struct convert_show show = { .shown = false };
	struct encode_watch watch = { convert_show_progress, &show };
	struct encode_report encoded;
	int r;

	/* what standard input has may be long: it is not taken in vain */
	if ((r = file_blob_check(to, NULL, force, e)) < 0 && file_is_standard(from))
		return r;
	if ((r = file_blob_open(from, &in, e)) < 0)
		return r;
	/* A signal while standard input is awaited just ends us: nothing has a name yet. */
	convert_watch_signals();
	if ((r = file_blob_check(to, in, force, e)) < 0 ||
	    (r = file_blob_create(to, force, &out, e)) < 0)
		return r;
	show.pace.start_ms = now_monotonic_ms();
	r = encoder_encode(encoder, &(struct encode_order){ in, out, spec, &watch }, &encoded,
			   &report->error, e);
	if (show.shown)
		progress_bar_clear();
	report->took_s = (double)(now_monotonic_ms() - show.pace.start_ms) / 1000;
	if (r < 0)
		return r;
	report->duration_s = encoded.duration_s;
	report->samples = encoded.samples;
	report->bytes = encoded.bytes_written;
	report->bytes_read = encoded.bytes_read;
	report->copied = encoded.copied;
	report->loudness = encoded.loudness;
	report->warnings = encoded.warnings;
	report->tracks = encoded.tracks;
	return blob_commit(out, e);
}

static int
convert_run(const struct command_call *call)
{
	const struct converter_config *config = call->config;
	struct capacity wish, fit;
	SCOPED(encoder_close_p) struct encoder *encoder = NULL;
	struct conversion_report report = { 0 };
	struct media_spec spec;
	struct err e = ERR_NONE;
	int r, printed;

	if ((r = convert_read_options(call, &spec)) != COMMAND_DONE)
		return r;
	if (converter_capacity(config, &wish, &fit, &e) < 0 ||
	    converter_encoder_new(config, fit.worker_memory, &encoder, &e) < 0)
		return command_failed(call, "convert", &e, NULL);
	r = convert_file(encoder, call, &spec, &report, &e);
	/* A reader's or writer's failure has no words for the user. */
	if (r < 0 && report.error.code[0] == '\0')
		return command_failed(call, "convert", &e, NULL);
	printed = convert_print_report(call, &report);
	return printed == COMMAND_DONE ? convert_exit_code(r) : printed;
}

static int
convert_run_until_signal(const struct command_call *call)
{
	int code = convert_run(call);

	/* All is cleared away; a shell wants to see what ended us. */
	if (convert_stopped_by && code != COMMAND_DONE) {
		(void)fflush(stdout);
		(void)raise(convert_stopped_by);
	}
	return code;
}

static const struct command_option convert_options[] = {
	{ .type = COMMAND_FLAG, .name = "force", .help = "replace OUT where it exists" },
	{ .type = COMMAND_TEXT,
	  .name = "format",
	  .value = "FORMAT",
	  .help = "mp3 or wav; else as OUT ends" },
	{ .type = COMMAND_FLAG, .name = "strict", .help = "fail where the file is cut or damaged" },
	{ .type = COMMAND_TEXT,
	  .name = "gaps",
	  .value = "fill|drop",
	  .help = "pauses as silence (fill), or frame after frame" },
	COMMAND_JSON,
	{ 0 },
};

const struct command command_convert = {
	.name = "convert",
	.summary = "one file, without servers: IN OUT",
	.verbs =
		(const struct command_verb[]){
			{
				.operands = "IN OUT",
				.options = convert_options,
				.help = "Converts one file by the same worker behind the same "
					"walls, without any server.\n"
					"OUT is written beside its name and appears when it is "
					"whole; its ending, .mp3 or .wav,\n"
					"says the format. IN may be -, standard input, and OUT -, "
					"standard output (an mp3\n"
					"unless --format says else; the report goes to standard "
					"error). Both are kept in a file\n"
					"without a name in TMPDIR, else /tmp, since the one is "
					"read to and fro and the\n"
					"other's front is written last.",
				.run = convert_run_until_signal,
			},
			{ 0 },
		},
	.notes = "Exit also 2: the file cannot be converted, now or ever.",
};
