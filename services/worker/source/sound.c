#include "worker/source/private.h"

#include <libavutil/avstring.h>
#include <libavutil/frame.h>

#include "worker/source/container.h"

#define RATE_MIN 1000
#define RATE_MAX 768000
#define CHANNELS_MAX 64
/* What a decoder wants to have heard in front of the place that is sought. */
#define PREROLL (TIMELINE_FLICKS / 10)
/* One packet at the end that is none: a tag, or what a writer was not done with. */
#define LOST_AT_THE_END 1
/* What a page should hold at most (RFC 7845, 6). */
#define OGG_PAGE_MAX TIMELINE_FLICKS
#define MS (TIMELINE_FLICKS / 1000)

static bool
source_frame_is_sane(const AVFrame *frame)
{
	return frame->nb_samples > 0 && frame->sample_rate >= RATE_MIN &&
	       frame->sample_rate <= RATE_MAX && frame->ch_layout.nb_channels >= 1 &&
	       frame->ch_layout.nb_channels <= CHANNELS_MAX;
}

/* What the decoder has, or may have once it was fed: *ret_wait. */
static enum worker_failure
source_receive(struct source *s, AVFrame *ret, bool *ret_end, bool *ret_wait, struct err *e)
{
	int av = avcodec_receive_frame(s->decoder, ret);

	*ret_end = av == AVERROR_EOF || (av < 0 && s->ended);
	*ret_wait = av == AVERROR(EAGAIN) && !*ret_end;
	if (av == AVERROR(ENOMEM))
		return failure_av(e, WORKER_OUT_OF_MEMORY, "decode", av);
	if (av == 0 && source_frame_is_sane(ret)) {
		s->frames++;
		s->barren = 0;
		return WORKER_FAILURE_NONE;
	}
	if (!*ret_end && !*ret_wait)
		source_note_damage(s);
	s->odd += av == 0;
	av_frame_unref(ret);
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
source_decode(struct source *s, AVFrame *ret, bool *ret_end, struct err *e)
{
	enum worker_failure f;
	bool wait;

	for (;;) {
		if ((f = source_receive(s, ret, ret_end, &wait, e)))
			return f;
		if (*ret_end && !s->follow.changed)
			return f;
		if (ret->nb_samples > 0)
			return f;
		if (*ret_end)
			f = source_change_track(s, e);
		else if (wait)
			f = source_feed(s, e);
		if (f)
			return f;
	}
}

/* Containers whose clock starts at the film's start; those that have a clock at all. */
#define HAVE_ZERO "mov,matroska,avi,flv,asf"
#define HAVE_CLOCK HAVE_ZERO ",ogg,mpegts,mpeg"

static bool
source_is_one_of(const struct source *s, const char *containers)
{
	return av_match_list(containers, s->format->iformat->name, ',') != 0;
}

/* Codecs whose first packet gives no sound yet; from then on each gives that of the one before. What
 * overlaps with the one before has none in its first packet: the delay is left out where there is no
 * picture to be in time with, for it is no silence. */
static bool
source_lags(const struct source *s)
{
	enum AVCodecID codec = s->decoder->codec_id;

	if (codec == AV_CODEC_ID_WMALOSSLESS)
		return true;
	return (codec == AV_CODEC_ID_VORBIS || codec == AV_CODEC_ID_WMAV1 ||
		codec == AV_CODEC_ID_WMAV2 || codec == AV_CODEC_ID_WMAPRO) &&
	       !container_has_picture(s->format);
}

/* An AVI whose clock goes much faster than its sound: it counts chunks, as if each were shorter than
 * it is. */
static bool
source_clock_is_wrong(const struct source *s)
{
	int64_t length = s->frame->nb_samples * TIMELINE_FLICKS / s->frame->sample_rate;

	return s->packets == 2 && s->step >= 0 && s->step < length / 2 &&
	       source_is_one_of(s, "avi");
}

static void
source_start_timeline(struct source *s, int64_t first)
{
	struct timeline_rules rules = { .zero = s->scan.zero,
					.tick = source_flicks(s, 1),
					.no_clock = !source_is_one_of(s, HAVE_CLOCK),
					.drop_gaps = s->options.drop_gaps };

	bool known = first != TIMELINE_UNKNOWN;

	if (known && source_lags(s) && s->first_packet != TIMELINE_UNKNOWN)
		s->lag = first - s->first_packet;
	first -= known ? s->lag : 0;
	/* where one Ogg stream follows another, the clock starts anew */
	if (!source_is_one_of(s, "ogg"))
		rules.most_overlap = TIMELINE_MAX_OVERLAP_MS * MS;
	if (source_is_one_of(s, HAVE_ZERO))
		rules.zero = known && s->edits.count == 0 &&
					     ((first < 0 && !source_is_one_of(s, "mov")) ||
					      (!container_has_picture(s->format) && first > 0 &&
					       first < TIMELINE_TOLERANCE_MS * MS))
				     ? first
				     : 0;
	if (source_is_one_of(s, "ogg") && known && first < rules.zero)
		rules.zero = first;
	/* an encoder that leaves silence out ends its first page later than the page has sound */
	if (s->decoder->codec_id == AV_CODEC_ID_OPUS && s->ogg.at >= 0 && known &&
	    rules.zero == TIMELINE_UNKNOWN && first > 0 && first <= OGG_PAGE_MAX)
		rules.zero = 0;
	timeline_start(&s->timeline, &rules, &s->warnings);
	s->placed = true;
}

static int64_t
source_frame_time(const struct source *s, const AVFrame *frame)
{
	int64_t at = source_flicks(s, frame->pts);

	return at == TIMELINE_UNKNOWN ? at : at - s->lag;
}

/* The next frame, with its time. A time that is far off is believed when the frame behind agrees. */
static enum worker_failure
source_next_frame(struct source *s, bool *ret_end, struct err *e)
{
	enum worker_failure f = WORKER_FAILURE_NONE;
	bool end = false;

	*ret_end = false;
	if (s->ahead)
		FFSWAP(AVFrame *, s->frame, s->next);
	else
		f = source_decode(s, s->frame, ret_end, e);
	s->ahead = false;
	if (f || *ret_end)
		return f;
	s->have_frame = true;
	if (!s->placed)
		source_start_timeline(s, source_flicks(s, s->frame->pts));
	if (source_clock_is_wrong(s))
		s->timeline.rules.no_clock = true;
	s->frame_at = source_frame_time(s, s->frame);
	if (s->edits.count > 0 || !timeline_doubts(&s->timeline, s->frame_at))
		return f;
	f = source_decode(s, s->next, &end, e);
	s->ahead = !f && !end;
	if (!s->ahead || !timeline_agrees(&s->timeline, s->frame_at, s->frame->nb_samples,
					  s->frame->sample_rate, source_frame_time(s, s->next)))
		s->frame_at = TIMELINE_UNKNOWN;
	return f;
}

enum worker_failure
source_begin(struct source *s, struct err *e)
{
	bool end;

	return s->have_frame ? WORKER_FAILURE_NONE : source_next_frame(s, &end, e);
}

/* Where the clock has no zero of its own, its file's chapters count from the first sound. */
int64_t
source_zero_ms(const struct source *s)
{
	int64_t zero = s->timeline.rules.zero;

	return s->placed && zero != TIMELINE_UNKNOWN ? zero / MS : 0;
}

static void
source_place(struct source *s, const struct mp4_piece *piece, struct source_sound *ret)
{
	struct timeline_place place;

	timeline_place(&s->timeline, piece->film, piece->take, s->frame->sample_rate, s->lost,
		       &place);
	s->lost = 0;
	s->mended = s->mended || place.silence > 0 || place.skip > 0;
	*ret = (struct source_sound){ place.silence, s->frame, piece->skip + place.skip,
				      place.take };
}

/* Reads on from where the present piece starts. */
static enum worker_failure
source_seek_piece(struct source *s, struct err *e)
{
	int64_t at = mp4_edits_media(&s->edits) - PREROLL;
	int av = av_seek_frame(
		s->format, s->stream->index,
		av_rescale_q(at, (AVRational){ 1, TIMELINE_FLICKS }, s->stream->time_base),
		AVSEEK_FLAG_BACKWARD);

	if (av < 0)
		return failure_av(e, WORKER_UNSUPPORTED, "edit list", av);
	avcodec_flush_buffers(s->decoder);
	av_packet_unref(s->rest);
	s->have_frame = s->ahead = s->ended = false;
	s->read_result = 0;
	return WORKER_FAILURE_NONE;
}

/* What of the present frame is heard next; a frame that is done with is let go. */
static enum worker_failure
source_next_piece(struct source *s, struct mp4_piece *ret, bool *ret_end, struct err *e)
{
	int samples = s->frame->nb_samples;
	enum mp4_heard heard;

	if (s->edits.count == 0 || s->frame_at == TIMELINE_UNKNOWN) {
		*ret = (struct mp4_piece){ 0, s->edits.count == 0 ? samples : 0, s->frame_at };
		s->have_frame = false;
		return WORKER_FAILURE_NONE;
	}
	*ret = (struct mp4_piece){ 0 };
	heard = mp4_edits_piece(&s->edits, s->frame_at, samples, s->frame->sample_rate, ret);
	*ret_end = heard == MP4_HEARD_ALL;
	if (heard == MP4_HEARD_FROM)
		return source_seek_piece(s, e);
	s->have_frame = heard == MP4_HEARD;
	return WORKER_FAILURE_NONE;
}

/* What a damaged end leaves out. */
static void
source_place_rest(struct source *s, struct source_sound *ret)
{
	*ret = (struct source_sound){ 0 };
	if (s->frames == 0 || s->edits.count > 0 || s->lost <= LOST_AT_THE_END)
		return;
	ret->silence = timeline_rest(&s->timeline, s->packets_end, s->lost);
	s->lost = 0;
}

enum worker_failure
source_next(struct source *s, struct source_sound *ret, bool *ret_end, struct err *e)
{
	struct mp4_piece piece = { 0 };
	enum worker_failure f;

	while (piece.take == 0) {
		*ret_end = false;
		if (!s->have_frame && (f = source_next_frame(s, ret_end, e)))
			return f;
		if (*ret_end && mp4_edits_lie_back(&s->edits)) {
			if ((f = source_seek_piece(s, e)))
				return f;
			continue;
		}
		if (*ret_end) {
			source_place_rest(s, ret);
			*ret_end = ret->silence == 0;
			return WORKER_FAILURE_NONE;
		}
		if ((f = source_next_piece(s, &piece, ret_end, e)) || *ret_end)
			return f;
	}
	source_place(s, &piece, ret);
	return WORKER_FAILURE_NONE;
}
