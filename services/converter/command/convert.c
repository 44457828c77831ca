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
#include "converter/pace.h"
#include "port/encoder.h"
#include "wire/report_json.h"

/* The file cannot be converted, now or ever: the reason is the file's. */
#define COMMAND_UNFIT 2
#define BAR_COLUMNS 30

/* A handler has no argument. */
static volatile sig_atomic_t convert_stopped_by;

struct progress_bar {
	bool shown;
	int64_t start_ms;
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

/* On a terminal only, and on one line: [#####.....]  52 %, 63 x realtime, 12 s left */
static int
convert_show_progress(void *arg, const struct encode_progress *progress, struct err *e)
{
	struct progress_bar *bar = arg;
	struct job_progress pace = pace_of(progress, now_monotonic_ms() - bar->start_ms);
	int filled = (int)(pace.fraction * BAR_COLUMNS);
	char line[BAR_COLUMNS + 1];

	if (convert_stopped_by)
		return err_set(e, ERR_UNAVAILABLE, "stopped by a signal");
	if (!isatty(STDERR_FILENO) || progress->fraction < 0)
		return 0;
	for (int i = 0; i < BAR_COLUMNS; i++)
		line[i] = i < filled ? '#' : '.';
	line[BAR_COLUMNS] = '\0';
	(void)fprintf(stderr, "\r[%s] %3.0f %%", line, pace.fraction * 100);
	(void)fprintf(stderr, ", %.0f x realtime", pace.speed);
	if (pace.fraction > 0.01)
		(void)fprintf(stderr, ", %.0f s left   ", pace.remaining_s);
	(void)fflush(stderr);
	bar->shown = true;
	return 0;
}

static void
convert_hide_progress(const struct progress_bar *bar)
{
	if (bar->shown)
		(void)fprintf(stderr, "\r%*s\r", BAR_COLUMNS + 48, "");
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
	SCOPED(str_free) struct str text = STR_MAX(65536);
	struct err e = ERR_NONE;

	if (command_given(call, "json")) {
		if (conversion_report_write(report, &text, &e) < 0)
			return converter_failed(call, "convert", &e);
		printf("%s\n", str_text(&text));
	} else if (report->error.code[0] != '\0') {
		(void)fprintf(stderr, "converter: %s (%s)\n", report->error.message,
			      report->error.code);
	} else {
		printf("%.3f s of sound, %" PRId64 " bytes, in %.2f s: %.0f x realtime\n",
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

/* The ending of the result's name says its format; any other name is an mp3's. */
static struct media_spec
convert_spec_of(const char *to)
{
	struct media_spec spec = { .format = media_format_of_file(to) };

	if (media_spec_settle(&spec, NULL) < 0) {
		spec = (struct media_spec){ .format = MEDIA_MP3 };
		(void)media_spec_settle(&spec, NULL);
	}
	return spec;
}

static int
convert_file(struct encoder *encoder, const struct command_call *call,
	     const struct media_spec *spec, struct conversion_report *report, struct err *e)
{
	SCOPED(blob_reader_close_p) struct blob_reader *in = NULL;
	SCOPED(blob_writer_close_p) struct blob_writer *out = NULL;
	struct progress_bar bar = { false, now_monotonic_ms() };
	struct encode_watch watch = { convert_show_progress, &bar };
	const char *from = call->operands[0], *to = call->operands[1];
	struct encode_report encoded;
	int r;

	convert_watch_signals();
	if ((r = file_blob_open(from, &in, e)) < 0 || (r = file_blob_create(to, &out, e)) < 0)
		return r;
	r = encoder_encode(encoder, &(struct encode_order){ in, out, spec, &watch }, &encoded,
			   &report->error, e);
	convert_hide_progress(&bar);
	report->took_s = (double)(now_monotonic_ms() - bar.start_ms) / 1000;
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
	struct media_spec spec = convert_spec_of(call->operands[1]);
	struct err e = ERR_NONE;
	int r, printed;

	spec.strict = command_given(call, "strict");
	if (command_given(call, "gaps") &&
	    media_option_set(&spec, MEDIA_OPTION_GAPS, command_text(call, "gaps"), &e) < 0)
		return command_wrong(call, "--%s", e.text);
	if (converter_capacity(config, &wish, &fit, &e) < 0 ||
	    converter_encoder_new(config, fit.worker_memory, &encoder, &e) < 0)
		return converter_failed(call, "convert", &e);
	r = convert_file(encoder, call, &spec, &report, &e);
	/* A reader's or writer's failure has no words for the user. */
	if (r < 0 && report.error.code[0] == '\0')
		return converter_failed(call, "convert", &e);
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
	.summary = "one file, without servers: IN OUT.mp3",
	.verbs =
		(const struct command_verb[]){
			{
				.operands = "IN OUT.mp3",
				.options = convert_options,
				.help = "Converts one file by the same worker behind the same "
					"walls, "
					"without any server.\nOUT.mp3 appears when it is whole.",
				.run = convert_run_until_signal,
			},
			{ 0 },
		},
	.notes = "Exit also 2: the file cannot be converted, now or ever.",
};
