#include "worker/sound/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>

#include "worker/sound/mix.h"

#define SAMPLES_MAX 8192 /* per channel and call of the sink */
#define LOUDEST 16.0F
#define PLANES_MAX 64 /* swresample's own limit of channels */

struct resampler {
	SwrContext *swr;
	AVChannelLayout in_layout, out_layout;
	int in_rate, in_format, out_rate;
	AVFrame *silence; /* NULL: not needed yet */
	resample_sink sink;
	void *arg;
	float samples[2][SAMPLES_MAX];
};

enum worker_failure
resampler_open(const struct media_spec *spec, resample_sink sink, void *arg, struct resampler **ret,
	       struct err *e)
{
	struct resampler *r = calloc(1, sizeof *r);

	if (!r)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "resampler: no memory");
	r->out_rate = spec->sample_rate;
	av_channel_layout_default(&r->out_layout, spec->channels);
	r->sink = sink;
	r->arg = arg;
	*ret = r;
	return WORKER_FAILURE_NONE;
}

/* Float samples in a file may be anything. LAME gives up at what is no number or far too loud; full
 * scale is 1, and a codec's overshoot stays far below this. */
static void
resample_tame(float *samples, int count)
{
	for (int i = 0; i < count; i++) {
		float loud = fabsf(samples[i]);

		if (!(loud <= LOUDEST))
			samples[i] = loud > LOUDEST ? copysignf(LOUDEST, samples[i]) : 0;
	}
}

/* Converts the given input (NULL = drain) and hands everything that comes out to the sink. */
static enum worker_failure
resample_convert(struct resampler *r, const uint8_t **in, int in_count, struct err *e)
{
	float *planes[2] = { r->samples[0], r->samples[1] };
	uint8_t *out[2] = { (uint8_t *)planes[0], (uint8_t *)planes[1] };
	int got;

	do {
		enum worker_failure f;

		got = swr_convert(r->swr, out, SAMPLES_MAX, in, in_count);
		if (got < 0)
			return failure_av(e, WORKER_DAMAGED, "resample", got);
		resample_tame(planes[0], got);
		resample_tame(planes[1], got);
		if (got > 0 && (f = r->sink(r->arg, planes, (size_t)got, e)))
			return f;
		/* The input was taken whole by the first call; what did not fit is inside. */
		in_count = 0;
	} while (got == SAMPLES_MAX);
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
resample_set_up(struct resampler *r, const AVFrame *frame, struct err *e)
{
	double matrix[2 * MIX_CHANNELS_MAX];
	AVChannelLayout layout = { 0 };
	int av;

	/* one channel alone is heard on both sides, whichever it is said to be */
	if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC || frame->ch_layout.nb_channels == 1)
		av_channel_layout_default(&layout, frame->ch_layout.nb_channels);
	else if ((av = av_channel_layout_copy(&layout, &frame->ch_layout)) < 0)
		return failure_av(e, WORKER_DAMAGED, "channel layout", av);
	swr_free(&r->swr);
	av_frame_free(&r->silence);
	av = swr_alloc_set_opts2(&r->swr, &r->out_layout, AV_SAMPLE_FMT_FLTP, r->out_rate, &layout,
				 frame->format, frame->sample_rate, 0, NULL);
	if (av >= 0 && mix_matrix(&layout, &r->out_layout, matrix))
		av = swr_set_matrix(r->swr, matrix, layout.nb_channels);
	av_channel_layout_uninit(&layout);
	if (av < 0 || (av = swr_init(r->swr)) < 0)
		return failure_av(e, WORKER_UNSUPPORTED, "resampler", av);
	if ((av = av_channel_layout_copy(&r->in_layout, &frame->ch_layout)) < 0)
		return failure_av(e, WORKER_DAMAGED, "channel layout", av);
	r->in_rate = frame->sample_rate;
	r->in_format = frame->format;
	return WORKER_FAILURE_NONE;
}

static bool
resample_fits(const struct resampler *r, const AVFrame *frame)
{
	return r->swr && frame->sample_rate == r->in_rate && frame->format == r->in_format &&
	       av_channel_layout_compare(&frame->ch_layout, &r->in_layout) == 0;
}

/* The samples of a frame from one on. */
static enum worker_failure
resample_part(struct resampler *r, const AVFrame *frame, int skip, int take, struct err *e)
{
	const uint8_t *in[PLANES_MAX] = { NULL };
	bool planar = av_sample_fmt_is_planar(frame->format) != 0;
	int channels = frame->ch_layout.nb_channels;
	ptrdiff_t from =
		(ptrdiff_t)skip * av_get_bytes_per_sample(frame->format) * (planar ? 1 : channels);

	for (int i = 0; i < (planar ? channels : 1) && i < PLANES_MAX; i++)
		in[i] = frame->extended_data[i] + from;
	return resample_convert(r, in, take, e);
}

/* A frame of the present form with nothing in it. */
static enum worker_failure
resample_open_silence(struct resampler *r, struct err *e)
{
	AVFrame *frame = av_frame_alloc();
	int av;

	av_frame_free(&r->silence);
	if (!(r->silence = frame))
		return failure_set(e, WORKER_OUT_OF_MEMORY, "silence: no memory");
	frame->format = r->in_format;
	frame->nb_samples = SAMPLES_MAX;
	if ((av = av_channel_layout_copy(&frame->ch_layout, &r->in_layout)) < 0 ||
	    (av = av_frame_get_buffer(frame, 0)) < 0 ||
	    (av = av_samples_set_silence(frame->extended_data, 0, SAMPLES_MAX,
					 frame->ch_layout.nb_channels, frame->format)) < 0)
		return failure_av(e, WORKER_OUT_OF_MEMORY, "silence", av);
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
resample_silence(struct resampler *r, int64_t samples, struct err *e)
{
	enum worker_failure f;

	if (samples > 0 && !r->silence && (f = resample_open_silence(r, e)))
		return f;
	for (int take; samples > 0; samples -= take) {
		take = samples < SAMPLES_MAX ? (int)samples : SAMPLES_MAX;
		if ((f = resample_part(r, r->silence, 0, take, e)))
			return f;
	}
	return WORKER_FAILURE_NONE;
}

enum worker_failure
resample_sound(struct resampler *r, const struct source_sound *sound, struct err *e)
{
	const AVFrame *frame = sound->frame;
	enum worker_failure f;

	if (frame && !resample_fits(r, frame) &&
	    ((f = resample_flush(r, e)) || (f = resample_set_up(r, frame, e))))
		return f;
	if (!r->swr)
		return WORKER_FAILURE_NONE;
	if ((f = resample_silence(r, sound->silence, e)) || !frame || sound->take == 0)
		return f;
	return resample_part(r, frame, sound->skip, sound->take, e);
}

enum worker_failure
resample_flush(struct resampler *r, struct err *e)
{
	return r->swr ? resample_convert(r, NULL, 0, e) : WORKER_FAILURE_NONE;
}

void
resampler_close(struct resampler *r)
{
	if (!r)
		return;
	swr_free(&r->swr);
	av_frame_free(&r->silence);
	av_channel_layout_uninit(&r->in_layout);
	av_channel_layout_uninit(&r->out_layout);
	free(r);
}
