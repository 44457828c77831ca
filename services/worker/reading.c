#include "worker/reading.h"

#include "base/clock.h"
#include "worker/channel.h"
#include "worker/pair.h"
#include "worker/sound/limiter.h"
#include "worker/sound/resample.h"

#define PROGRESS_INTERVAL_MS 500

/* What the resampler made, on its way through the limiter. */
static enum worker_failure
reading_limit(void *arg, float *const planes[MEDIA_CHANNELS_MAX], size_t count, struct err *e)
{
	struct reading *r = arg;

	return limiter_put(r->limiter, planes, count, e);
}

static enum worker_failure
reading_take(void *arg, float *const planes[MEDIA_CHANNELS_MAX], size_t count, struct err *e)
{
	struct reading *r = arg;
	enum worker_failure f;

	r->decoded += (int64_t)count;
	if (r->limit >= 0 && r->kept + (int64_t)count > r->limit)
		count = (size_t)(r->limit - r->kept);
	if (r->kept + (int64_t)count > r->start->max_samples)
		return failure_set(e, WORKER_TOO_LONG, "more than %lld samples",
				   (long long)r->start->max_samples);
	if (r->writer && (f = writer_put(r->writer, planes, count, e)))
		return f;
	meter_add(r->meter, planes, count);
	r->kept += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

static void
reading_tell_progress(struct reading *r, const struct source *source)
{
	int64_t now = now_monotonic_ms();
	struct worker_progress progress;

	if (now < r->next_progress_ms)
		return;
	r->next_progress_ms = now + PROGRESS_INTERVAL_MS;
	progress.samples = r->kept;
	progress.fraction =
		r->limit > 0 ? (double)r->kept / (double)r->limit : source_progress(source);
	channel_progress(r->fd, &progress);
}

static enum worker_failure
reading_decode(struct reading *r, struct source *source, struct resampler *resampler, struct err *e)
{
	struct source_sound sound;
	enum worker_failure f;
	bool end = false;

	while (!(f = source_next(source, &sound, &end, e)) && !end) {
		if ((f = resample_sound(resampler, &sound, e)))
			return f;
		reading_tell_progress(r, source);
	}
	return f ? f : resample_flush(resampler, e);
}

static void
reading_take_warnings(struct reading *r, const struct warnings *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		warnings_add(&r->warnings, &warnings->list[i]);
}

static enum worker_failure
reading_run_one(struct reading *r, struct source *source, resample_sink sink, struct err *e)
{
	SCOPED(resampler_close_p) struct resampler *resampler = NULL;
	enum worker_failure f;

	r->limit = source_limit(source, r->start->spec.sample_rate);
	if ((f = resampler_open(&r->start->spec, sink, r, &resampler, e)) ||
	    (f = reading_decode(r, source, resampler, e)) ||
	    (r->limiter && (f = limiter_finish(r->limiter, e))) || (f = source_verdict(source, e)))
		return f;
	reading_take_warnings(r, source_warnings(source));
	return f;
}

static enum worker_failure
reading_run_two(struct reading *r, struct source *left, resample_sink sink, struct err *e)
{
	SCOPED(pair_close_p) struct pair *pair = NULL;
	enum worker_failure f;
	bool end = false;

	if ((f = pair_open(left, r->right, &r->start->spec, sink, r, &pair, e)))
		return f;
	r->limit = pair_limit(pair);
	while (!(f = pair_step(pair, &end, e)) && !end)
		reading_tell_progress(r, left);
	if (f || (r->limiter && (f = limiter_finish(r->limiter, e))))
		return f;
	return pair_verdict(pair, &r->warnings, e);
}

/* What a strict order does not take. */
static enum worker_failure
reading_refuse(const struct reading *r, const struct warnings *warnings, struct err *e)
{
	if (!r->start->spec.strict)
		return WORKER_FAILURE_NONE;
	if (warnings_find(warnings, WARNING_TRUNCATED))
		return failure_set(e, WORKER_TRUNCATED, "strict: the end is missing");
	if (warnings_find(warnings, WARNING_DAMAGED))
		return failure_set(e, WORKER_DAMAGED, "strict: not all could be decoded");
	return WORKER_FAILURE_NONE;
}

enum worker_failure
reading_run(struct reading *r, struct source *source, struct err *e)
{
	SCOPED(limiter_close_p) struct limiter *limiter = NULL;
	const struct media_spec *spec = &r->start->spec;
	resample_sink sink = r->writer ? reading_limit : reading_take;
	enum worker_failure f;

	if (meter_open(spec->sample_rate, spec->channels, &r->meter, e) < 0)
		return WORKER_OUT_OF_MEMORY;
	/* what is only listened to is copied as it is */
	if (r->writer && (f = limiter_open(spec, &r->warnings, reading_take, r, &limiter, e)))
		return f;
	r->limiter = limiter;
	f = r->right ? reading_run_two(r, source, sink, e) : reading_run_one(r, source, sink, e);
	if (f || (f = reading_refuse(r, &r->warnings, e)))
		return f;
	/* an edit list may let nothing through */
	return r->kept > 0 ? f : failure_set(e, WORKER_NO_AUDIO, "nothing is to be heard");
}

void
reading_clear(struct reading *r)
{
	meter_close(r->meter);
	r->meter = NULL;
	r->decoded = r->kept = 0;
	r->warnings = (struct warnings){ 0 };
}
