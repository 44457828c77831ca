#include "converter/worker/transcode.h"

#include <libavutil/frame.h>

#include "base/clock.h"
#include "converter/worker/channel.h"
#include "converter/worker/input.h"
#include "converter/worker/mp3.h"
#include "converter/worker/resample.h"
#include "converter/worker/source.h"

#define PROGRESS_INTERVAL_MS 500

struct transcode {
	int fd;
	const struct worker_start *spec;
	struct mp3 *mp3;
	int64_t limit;   /* samples that the track's edit list lets through; -1 = all */
	int64_t decoded; /* samples of the result's rate, before the limit */
	int64_t encoded;
	int64_t next_progress_ms;
};

static enum worker_failure
encode(void *arg, float *const planes[2], size_t count, struct err *e)
{
	struct transcode *t = arg;
	enum worker_failure f;

	t->decoded += (int64_t)count;
	if (t->limit >= 0 && t->encoded + (int64_t)count > t->limit)
		count = (size_t)(t->limit - t->encoded);
	if (t->encoded + (int64_t)count > t->spec->max_samples)
		return failure_set(e, WORKER_TOO_LONG, "more than %lld samples",
				   (long long)t->spec->max_samples);
	if (count > 0 && (f = mp3_encode(t->mp3, planes, count, e)))
		return f;
	t->encoded += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

static void
tell_progress(struct transcode *t, const struct source *source)
{
	int64_t now = now_monotonic_ms();

	if (now < t->next_progress_ms)
		return;
	t->next_progress_ms = now + PROGRESS_INTERVAL_MS;
	channel_progress(t->fd, t->limit > 0 ? (double)t->encoded / (double)t->limit
					     : source_progress(source));
}

static void
frame_free(AVFrame *frame)
{
	av_frame_free(&frame);
}
SCOPE_DEFINE(AVFrame, frame_free)

static enum worker_failure
run(struct transcode *t, struct source *source, struct resampler *resampler, struct err *e)
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

enum worker_failure
transcode(int fd, const struct worker_start *spec, struct worker_done *ret, struct err *e)
{
	SCOPED(input_close_p) struct input *in = NULL;
	SCOPED(source_close_p) struct source *source = NULL;
	SCOPED(mp3_close_p) struct mp3 *mp3 = NULL;
	SCOPED(resampler_close_p) struct resampler *resampler = NULL;
	struct transcode t = { .fd = fd, .spec = spec };
	int rate = (int)spec->sample_rate;
	enum worker_failure f;

	if (spec->input_bytes == 0)
		return failure_set(e, WORKER_EMPTY, "0 bytes");
	if ((f = input_open(fd, spec->input_bytes, &in, e)) || (f = source_open(in, &source, e)) ||
	    (f = mp3_open(fd, spec, &mp3, e)) ||
	    (f = resampler_open(spec, encode, &t, &resampler, e)))
		return f;
	t.mp3 = mp3;
	t.limit = source_limit(source, rate);
	if ((f = run(&t, source, resampler, e)) ||
	    (f = source_verdict(source, t.decoded, rate, e)) || (f = mp3_finish(mp3, e)))
		return f;
	*ret = (struct worker_done){ .samples = t.encoded, .sample_rate = spec->sample_rate };
	return WORKER_FAILURE_NONE;
}
