/* The attempt itself: a leased job's video becomes a committed mp3, or there is a reason why not.
 */
#include "converter/attempt.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "flow/reaction.h"

static const struct job_error video_missing = { "video_missing", "the video is no longer there" };
static const struct job_error video_damaged = { "storage_damaged", "the stored video is damaged" };
static const struct job_error internal = { "internal", "the conversion failed" };
static const struct job_error stopped = { "stopped", "the conversion was stopped before its end" };
static const struct job_error unsupported_format = {
	"unsupported_format", "this converter does not make the format that was asked for"
};
static const struct job_error gave_up = { "gave_up", "the conversion was tried too often" };

bool
attempt_lost(const struct attempt *a)
{
	return lease_keeper_lost(a->keeper);
}

static int
attempt_on_progress(void *arg, const struct encode_progress *progress, struct err *e)
{
	struct attempt *a = arg;
	struct job_progress pace = pace_of(&a->pace, progress, now_monotonic_ms());

	if (attempt_lost(a))
		return err_set(e, ERR_CONFLICT, "the lease was lost");
	if (a->c->hand_back && atomic_load(a->c->hand_back)) {
		a->handed_back = true;
		return err_set(e, ERR_UNAVAILABLE, "the converter is stopping");
	}
	if (progress->fraction >= 0)
		lease_keeper_progress(a->keeper, &pace);
	return 0;
}

/* "clip.mp4" -> "clip.mp3"; the name is hostile text and stays so. */
static void
attempt_output_name(const char *source, const char *extension, char *ret, size_t size)
{
	const char *dot = strrchr(source, '.'), *slash = strrchr(source, '/');
	size_t stem = dot && dot != source && (!slash || dot > slash) ? (size_t)(dot - source)
								      : strlen(source);
	size_t room = size - 1 - strlen(extension) - 1;

	ret[0] = '\0';
	if (stem > room)
		stem = room;
	/* A cut must not leave half a character. */
	while (stem > 0 && ((unsigned char)source[stem] & 0xc0) == 0x80)
		stem--;
	if (stem > 0)
		(void)snprintf(ret, size, "%.*s.%s", (int)stem, source, extension);
}

static struct blob_meta
attempt_output_meta(const struct job *job, const struct media_format_info *format)
{
	struct blob_meta meta = { .video_fid = job->video_fid };

	(void)snprintf(meta.owner, sizeof meta.owner, "%s", job->username);
	(void)snprintf(meta.content_type, sizeof meta.content_type, "%s", format->content_type);
	attempt_output_name(job->source.filename, format->extension, meta.filename,
			    sizeof meta.filename);
	return meta;
}

static int
attempt_open_video(struct attempt *a, struct blob_reader **ret, struct err *e)
{
	int r = blob_open(a->c->videos, &a->job->video_fid, ret, e);

	if (r == ERR_NOT_FOUND)
		a->why = video_missing;
	return r < 0 ? err_prefix(e, r, "open video") : 0;
}

static int
attempt_encode(struct attempt *a, const struct media_spec *spec, struct blob_writer *out,
	       struct err *e)
{
	SCOPED(blob_reader_close_p) struct blob_reader *in = NULL;
	struct encode_watch watch = { attempt_on_progress, a };
	struct encode_report report;
	int r;

	if ((r = attempt_open_video(a, &in, e)) < 0 ||
	    (r = encoder_encode(a->c->encoder, &(struct encode_order){ in, out, spec, &watch },
				&report, &a->why, e)) < 0)
		return r;
	a->made.duration_s = report.duration_s;
	a->made.loudness = report.loudness;
	a->made.warnings = report.warnings;
	a->made.tracks = report.tracks;
	return 0;
}

/* Takes an earlier attempt's output that is whole: its converter died, or lost its lease, before
 * the record. NOT_FOUND: there is none. What this attempt made, and measured, is not what is kept. */
static int
attempt_adopt(struct attempt *a, struct err *e)
{
	for (size_t i = 0; i < a->other_count; i++) {
		SCOPED(blob_reader_close_p) struct blob_reader *output = NULL;
		int r = blob_open(a->c->mp3s, &a->others[i], &output, e);

		if (r == ERR_NOT_FOUND)
			continue;
		if (r < 0)
			return err_prefix(e, r, "open an earlier output");
		a->made = (struct job_result){ .mp3_fid = a->others[i],
					       .bytes = output->info.length };
		a->adopted = true;
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int
attempt_find_earlier(struct attempt *a, struct err *e)
{
	int r = job_list_outputs(a->c->jobs, &a->job->lease, a->others, &a->other_count, e);

	return r < 0 ? err_prefix(e, r, "outputs of earlier attempts") : 0;
}

static int
attempt_commit(struct attempt *a, struct blob_writer *out, struct err *e)
{
	int r;

	if (attempt_lost(a))
		return err_set(e, ERR_CONFLICT, "the lease was lost");
	r = blob_commit(out, e);
	/* Where a store keeps one output per video: an earlier attempt's, which was late. */
	if (r == ERR_CONFLICT && attempt_adopt(a, e) == 0)
		return 0;
	if (r < 0)
		return err_prefix(e, r, "store the mp3");
	a->made.mp3_fid = out->id;
	a->made.bytes = out->length;
	return 0;
}

static int
attempt_convert(struct attempt *a, const struct media_spec *spec, struct err *e)
{
	SCOPED(blob_writer_close_p) struct blob_writer *out = NULL;
	struct blob_meta meta = attempt_output_meta(a->job, media_format_info(spec->format));
	int r;

	if ((r = blob_create(a->c->mp3s, &a->job->lease.output, &meta, &out, e)) < 0 ||
	    (r = attempt_encode(a, spec, out, e)) < 0)
		return r;
	return attempt_commit(a, out, e);
}

static int
attempt_make(struct attempt *a, struct err *e)
{
	struct media_spec spec = a->job->spec;
	int r;

	if ((r = attempt_find_earlier(a, e)) < 0 || (r = attempt_adopt(a, e)) != ERR_NOT_FOUND)
		return r;
	/* A job that ends converters never reaches its record: only the count of its leases tells.
	 */
	if (a->job->attempts > REACTION_ATTEMPTS_MAX) {
		a->why = gave_up;
		return err_set(e, ERR_CORRUPT, "leased %d times without an end", a->job->attempts);
	}
	if ((r = media_spec_settle(&spec, e)) < 0) {
		a->why = unsupported_format;
		return r;
	}
	return attempt_convert(a, &spec, e);
}

int
attempt_run(struct attempt *a, struct err *e)
{
	int r = attempt_make(a, e);

	a->server_lost =
		r < 0 && a->why.code[0] == '\0' && (r == ERR_UNAVAILABLE || r == ERR_TIMEOUT);
	/* What stops all of a service's processes at once (systemd) reaches the worker too. */
	if (r == ERR_UNAVAILABLE && !a->server_lost && a->c->stop && stop_requested(a->c->stop))
		a->handed_back = a->server_lost = true;
	if (a->handed_back)
		a->why = stopped;
	if (r < 0 && a->why.code[0] == '\0')
		a->why = r == ERR_CORRUPT ? video_damaged : internal;
	return r;
}
