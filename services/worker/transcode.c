#include "worker/transcode.h"

#include <assert.h>

#include <libavutil/frame.h>

#include "base/clock.h"
#include "worker/mp3/mp3.h"
#include "worker/channel.h"
#include "worker/copy.h"
#include "worker/tags/id3.h"
#include "worker/input.h"
#include "worker/sound/meter.h"
#include "worker/sound/resample.h"
#include "worker/source/source.h"

#define PROGRESS_INTERVAL_MS 500

struct transcode {
	int fd;
	const struct worker_start *spec;
	struct mp3_format format;
	struct mp3 *mp3;   /* NULL: none, or not yet */
	struct copy *copy; /* NULL: encoded */
	struct meter *meter;
	size_t tag_bytes; /* of the ID3 tag, behind which the stream starts */
	int64_t limit;    /* samples that the track's edit list lets through; -1 = all */
	int64_t decoded;  /* samples of the result's rate, before the limit */
	int64_t encoded;
	int64_t next_progress_ms;
};

/* Levels 0 to 3 are known for a fault of LAME's in constant bit rates (its bug 516); 3, its
 * default, takes as long as 4 and is no nearer to the source by more than 0.1 dB. */
#define LAME_QUALITY 4

static_assert(ID3_HEAD_MAX + ID3_PICTURE_MAX <= WORKER_TAG_MAX, "the largest tag is let through");

static enum worker_failure
mp3_failure(int result)
{
	if (result == 0)
		return WORKER_FAILURE_NONE;
	return result == ERR_NO_MEMORY ? WORKER_OUT_OF_MEMORY : WORKER_BROKEN;
}

static void
write_out(void *arg, const void *data, size_t len)
{
	const struct transcode *t = arg;

	channel_write(t->fd, data, len);
}

static void
patch_head(void *arg, const void *data, size_t len)
{
	const struct transcode *t = arg;

	channel_patch(t->fd, (int64_t)t->tag_bytes, data, len);
}

static void
write_tag(struct transcode *t, const struct source *source)
{
	struct id3_content content;
	uint8_t head[ID3_HEAD_MAX];
	size_t len;

	source_metadata(source, &content);
	len = id3_write(&content, head);
	channel_write(t->fd, head, len);
	t->tag_bytes = len + content.picture_len;
	for (size_t at = 0; at < content.picture_len; at += len) {
		len = content.picture_len - at;
		if (len > WORKER_PAYLOAD_MAX)
			len = WORKER_PAYLOAD_MAX;
		channel_write(t->fd, content.picture + at, len);
	}
}

static enum worker_failure
open_encoder(struct transcode *t, struct err *e)
{
	struct mp3_sink sink = { write_out, patch_head, t };

	channel_hold(t->fd, MP3_HEAD_MAX);
	return mp3_failure(mp3_open(&t->format, (int)t->spec->threads, &sink, &t->mp3, e));
}

static enum worker_failure
take_samples(void *arg, float *const planes[2], size_t count, struct err *e)
{
	struct transcode *t = arg;
	enum worker_failure f;

	t->decoded += (int64_t)count;
	if (t->limit >= 0 && t->encoded + (int64_t)count > t->limit)
		count = (size_t)(t->limit - t->encoded);
	if (t->encoded + (int64_t)count > t->spec->max_samples)
		return failure_set(e, WORKER_TOO_LONG, "more than %lld samples",
				   (long long)t->spec->max_samples);
	if (t->mp3 && (f = mp3_failure(mp3_encode(t->mp3, planes, count, e))))
		return f;
	meter_add(t->meter, planes, count);
	t->encoded += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

static void
tell_progress(struct transcode *t, const struct source *source)
{
	int64_t now = now_monotonic_ms();
	struct worker_progress progress;

	if (now < t->next_progress_ms)
		return;
	t->next_progress_ms = now + PROGRESS_INTERVAL_MS;
	progress.samples = t->encoded;
	progress.fraction =
		t->limit > 0 ? (double)t->encoded / (double)t->limit : source_progress(source);
	channel_progress(t->fd, &progress);
}

static void
frame_free(AVFrame *frame)
{
	av_frame_free(&frame);
}
SCOPE_DEFINE(AVFrame, frame_free)

static enum worker_failure
decode_frames(struct transcode *t, struct source *source, struct resampler *resampler,
	      struct err *e)
{
	SCOPED(frame_free_p) AVFrame *frame = av_frame_alloc();
	enum worker_failure f;
	bool end = false;

	if (!frame)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "frame: no memory");
	while (!(f = source_next(source, frame, &end, e)) && !end) {
		if ((f = resample_frame(resampler, frame, e)))
			return f;
		tell_progress(t, source);
	}
	return f ? f : resample_flush(resampler, e);
}

/* The whole track, to the meter and, when there is one, the encoder. */
static enum worker_failure
decode(struct transcode *t, struct source *source, struct err *e)
{
	SCOPED(resampler_close_p) struct resampler *resampler = NULL;
	int rate = (int)t->spec->sample_rate;
	enum worker_failure f;

	if (meter_open(rate, (int)t->spec->channels, &t->meter, e) < 0)
		return WORKER_OUT_OF_MEMORY;
	t->limit = source_limit(source, rate);
	if ((f = resampler_open(t->spec, take_samples, t, &resampler, e)) ||
	    (f = decode_frames(t, source, resampler, e)))
		return f;
	if ((f = source_verdict(source, t->decoded, rate, e)))
		return f;
	/* an edit list may let nothing through */
	return t->encoded > 0 ? f : failure_set(e, WORKER_NO_AUDIO, "nothing is to be heard");
}

static void
forget_reading(struct transcode *t)
{
	copy_close(t->copy);
	meter_close(t->meter);
	t->copy = NULL;
	t->meter = NULL;
	t->decoded = t->encoded = 0;
}

/* Whatever is wrong with a reading that was to be copied, the encoder's tells of it. */
static void
try_to_copy(struct transcode *t, struct source *source)
{
	if (!(t->copy = copy_look(source, &t->format)))
		return;
	if (decode(t, source, NULL) != WORKER_FAILURE_NONE ||
	    !copy_decide(t->copy, source, t->decoded, t->encoded))
		forget_reading(t);
}

static enum worker_failure
open_source(struct transcode *t, struct input *in, struct source **ret, struct err *e)
{
	SCOPED(source_close_p) struct source *source = NULL;
	enum worker_failure f = source_open(in, &source, e);

	if (f)
		return f;
	if (!copy_may_do(source, &t->format)) {
		*ret = TAKE(source);
		return WORKER_FAILURE_NONE;
	}
	input_keep(in);
	try_to_copy(t, source);
	source_close(TAKE(source));
	input_rewind(in);
	return source_open(in, ret, e);
}

static enum worker_failure
transcode_all(struct transcode *t, struct err *e)
{
	SCOPED(input_close_p) struct input *in = NULL;
	SCOPED(source_close_p) struct source *source = NULL;
	enum worker_failure f;

	if ((f = input_open(t->fd, t->spec->input_bytes, &in, e)) ||
	    (f = open_source(t, in, &source, e)))
		return f;
	write_tag(t, source);
	if (t->copy)
		return copy_write(t->copy, source, t->fd, e);
	if ((f = open_encoder(t, e)) || (f = decode(t, source, e)))
		return f;
	return mp3_failure(mp3_finish(t->mp3, e));
}

enum worker_failure
transcode(int fd, const struct worker_start *spec, struct worker_done *ret, struct err *e)
{
	struct transcode t = {
		.fd = fd,
		.spec = spec,
		.format = { .sample_rate = (int)spec->sample_rate,
			    .channels = (int)spec->channels,
			    .bit_rate = (int)spec->bit_rate,
			    .vbr = MP3_VBR_OFF,
			    .quality = LAME_QUALITY },
	};
	enum worker_failure f;

	if (spec->input_bytes == 0)
		return failure_set(e, WORKER_EMPTY, "0 bytes");
	f = transcode_all(&t, e);
	if (f == WORKER_FAILURE_NONE)
		*ret = (struct worker_done){
			.samples = t.encoded,
			.sample_rate = spec->sample_rate,
			.copied = t.copy != NULL,
			.loudness = meter_result(t.meter),
		};
	copy_close(t.copy);
	mp3_close(t.mp3);
	meter_close(t.meter);
	return f;
}
