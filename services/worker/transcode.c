#include "worker/transcode.h"

#include "worker/channel.h"
#include "worker/input.h"
#include "worker/reading.h"
#include "worker/source/source.h"
#include "worker/writer/copier.h"

struct transcode {
	const struct worker_start *start;
	const struct writer_format *format;
	struct copier *copier;  /* owned; NULL: the track is encoded */
	struct input *right_in; /* owned, with right: of two tracks of one channel, the second */
	struct source *right;
	int64_t zero_ms; /* of the source that is written (source.h) */
	struct reading reading;
	struct output out;
};

/* The first reading of a track that may be copied; copier is set when it will be. Whatever is wrong
 * with it, the encoder's reading tells of. */
static void
transcode_look(struct transcode *t, struct source *source)
{
	if (!(t->copier = t->format->copier->look(source, &t->start->spec)))
		return;
	if (reading_run(&t->reading, source, NULL) != WORKER_FAILURE_NONE ||
	    !copier_decide(t->copier, source, t->reading.decoded, t->reading.kept)) {
		copier_close(t->copier);
		t->copier = NULL;
		reading_clear(&t->reading);
	}
}

static struct source_options
transcode_options(const struct transcode *t, int track)
{
	return (struct source_options){ .drop_gaps = t->start->spec.drop_gaps, .track = track };
}

static bool
transcode_may_copy(const struct transcode *t, const struct source *source)
{
	return t->format->copier && t->format->copier->may_do(source, &t->start->spec);
}

/* Two tracks of one channel each, as left and right; each on an input of its own. Where the second
 * cannot be opened, the first is all there is. */
static enum worker_failure
transcode_open_two(struct transcode *t, struct input *in, const int tracks[2], struct source **ret,
		   struct err *e)
{
	const struct source_options left = transcode_options(t, tracks[0]);
	const struct source_options right = transcode_options(t, tracks[1]);
	enum worker_failure f;

	input_rewind(in);
	if ((f = source_open(in, &left, ret, e)) ||
	    (f = input_open(t->reading.fd, in->size, &t->right_in, e)))
		return f;
	f = source_open(t->right_in, &right, &t->right, e);
	return f == WORKER_OUT_OF_MEMORY ? f : WORKER_FAILURE_NONE;
}

/* The source as it is to be written from: freshly opened. */
static enum worker_failure
transcode_open_source(struct transcode *t, struct input *in, struct source **ret, struct err *e)
{
	const struct source_options options = transcode_options(t, 0);
	SCOPED(source_close_p) struct source *source = NULL;
	enum worker_failure f = source_open(in, &options, &source, e);
	int monos[2];

	if (f)
		return f;
	if (source_monos(source, monos)) {
		source_close(TAKE(source));
		return transcode_open_two(t, in, monos, ret, e);
	}
	if (!transcode_may_copy(t, source)) {
		*ret = TAKE(source);
		return WORKER_FAILURE_NONE;
	}
	input_keep(in);
	transcode_look(t, source);
	t->zero_ms = source_zero_ms(source);
	source_close(TAKE(source));
	input_rewind(in);
	return source_open(in, &options, ret, e);
}

static struct writer_total
transcode_total(const struct transcode *t)
{
	return (struct writer_total){ t->reading.kept, meter_result(t->reading.meter) };
}

static enum worker_failure
transcode_encode(struct transcode *t, struct source *source, const struct writer_order *order,
		 struct err *e)
{
	SCOPED(writer_close_p) struct writer *writer = NULL;
	struct writer_total total;
	enum worker_failure f;

	if ((f = t->format->open(order, &writer, e)))
		return f;
	t->reading.writer = writer;
	t->reading.right = t->right;
	f = reading_run(&t->reading, source, e);
	t->reading.writer = NULL;
	if (f)
		return f;
	total = transcode_total(t);
	return writer_finish(writer, &total, e);
}

static enum worker_failure
transcode_copy(struct transcode *t, struct source *source, const struct writer_order *order,
	       struct err *e)
{
	const struct writer_total total = transcode_total(t);

	return copier_write(t->copier, source, order, &total, e);
}

static void
transcode_find_tracks(const struct transcode *t, const struct source *source, struct tracks *ret)
{
	struct tracks right;

	source_tracks(source, ret);
	if (!t->right)
		return;
	source_tracks(t->right, &right);
	for (size_t i = 0; i < ret->count && i < right.count; i++)
		ret->list[i].taken = ret->list[i].taken || right.list[i].taken;
}

/* Behind the result, in front of DONE. */
static void
transcode_tell_findings(const struct transcode *t, const struct source *source)
{
	const struct warnings *warnings = &t->reading.warnings;
	struct tracks tracks;

	transcode_find_tracks(t, source, &tracks);
	for (size_t i = 0; i < warnings->count; i++)
		channel_warning(t->reading.fd, &warnings->list[i]);
	for (size_t i = 0; i < tracks.count; i++)
		channel_track(t->reading.fd, &tracks.list[i]);
}

static enum worker_failure
transcode_all(struct transcode *t, struct err *e)
{
	SCOPED(input_close_p) struct input *in = NULL;
	SCOPED(source_close_p) struct source *source = NULL;
	struct tags tags;
	struct writer_order order = { &t->start->spec, &tags, &t->out, (int)t->start->threads,
				      &t->reading.warnings };
	enum worker_failure f;

	if ((f = input_open(t->reading.fd, t->start->input_bytes, &in, e)) ||
	    (f = transcode_open_source(t, in, &source, e)) ||
	    (!t->copier && (f = source_begin(source, e))))
		return f;
	if (!t->copier)
		t->zero_ms = source_zero_ms(source);
	source_tags(source, t->zero_ms, &tags);
	f = t->copier ? transcode_copy(t, source, &order, e)
		      : transcode_encode(t, source, &order, e);
	if (f)
		return f;
	output_end(&t->out);
	transcode_tell_findings(t, source);
	return f;
}

enum worker_failure
transcode(int fd, const struct worker_start *start, struct worker_done *ret, struct err *e)
{
	struct transcode t = {
		.start = start,
		.format = writer_format_of(start->spec.format),
		.reading = { .start = start, .fd = fd },
	};
	enum worker_failure f;

	if (!t.format)
		return failure_set(e, WORKER_BROKEN, "nothing writes format %d",
				   (int)start->spec.format);
	if (start->input_bytes == 0)
		return failure_set(e, WORKER_EMPTY, "0 bytes");
	output_begin(&t.out, fd);
	f = transcode_all(&t, e);
	if (f == WORKER_FAILURE_NONE)
		*ret = (struct worker_done){
			.samples = t.reading.kept,
			.sample_rate = (uint32_t)start->spec.sample_rate,
			.copied = t.copier != NULL,
			.loudness = meter_result(t.reading.meter),
		};
	source_close(t.right);
	input_close(t.right_in);
	copier_close(t.copier);
	reading_clear(&t.reading);
	return f;
}
