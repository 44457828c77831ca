#include "worker/source/source.h"

#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/frame.h>

#include "worker/source/container.h"
#include "worker/tags/metadata.h"
#include "worker/source/mp4_tail.h"

#define RATE_MIN 1000
#define RATE_MAX 768000
#define CHANNELS_MAX 64
/* The mp3 probe takes almost anything with a score below this. */
#define SCORE_CERTAIN 5
/* How far in front of the index's last packet a track's declared end may lie and be believed: codec
 * padding is shorter, a lying header is not. Samples. */
#define PADDING_MAX 8192

/* Packets in a row, empty or damaged, without a sample: hours of any codec. */
#define BARREN_MAX 1000000
/* Of one frame; the largest that a codec of the whitelist makes is FLAC's 65,535. */
#define FRAME_SAMPLES_MAX (1 << 20)

struct source {
	AVFormatContext *format;
	AVCodecContext *decoder;
	AVPacket *packet;
	struct input *in;
	AVStream *stream; /* borrowed from format */
	struct mp4_tail tail;
	int read_result; /* why reading ended: AVERROR_EOF or an error */
	bool ended, cut_packet;
	int64_t packets, damaged, frames;
	int64_t barren;    /* packets since the last frame */
	source_tap_fn tap; /* NULL = none */
	void *tap_arg;
};

static enum worker_failure
source_open_decoder(struct source *s, const AVCodec *codec, struct err *e)
{
	int av;

	s->decoder = avcodec_alloc_context3(codec);
	s->packet = av_packet_alloc();
	if (!s->decoder || !s->packet)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "decoder: no memory");
	if ((av = avcodec_parameters_to_context(s->decoder, s->stream->codecpar)) < 0)
		return failure_av(e, WORKER_UNSUPPORTED, "decoder", av);
	s->decoder->pkt_timebase = s->stream->time_base;
	s->decoder->thread_count = 1;
	s->decoder->max_samples = FRAME_SAMPLES_MAX;
	if (!container_allows(codec->name))
		return failure_set(e, WORKER_UNSUPPORTED, "%s is not on the list", codec->name);
	if ((av = avcodec_open2(s->decoder, codec, NULL)) < 0)
		return failure_av(e, WORKER_UNSUPPORTED, codec->name, av);
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
source_choose_track(struct source *s, struct err *e)
{
	const AVCodec *codec = NULL;
	int index = av_find_best_stream(s->format, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);

	if (index == AVERROR_DECODER_NOT_FOUND)
		return failure_set(e, WORKER_UNSUPPORTED, "no decoder for the sound track");
	if (index < 0 && s->format->probe_score < SCORE_CERTAIN)
		return failure_av(e, WORKER_NOT_MEDIA, "sound track", index);
	if (index < 0)
		return failure_av(e, WORKER_NO_AUDIO, "sound track", index);
	container_discard_all_but(s->format, index);
	s->stream = s->format->streams[index];
	s->stream->discard = AVDISCARD_DEFAULT;
	return source_open_decoder(s, codec, e);
}

static enum worker_failure
source_open_track(struct source *s, struct err *e)
{
	enum worker_failure f = container_open(s->in, &s->format, e);

	return f ? f : source_choose_track(s, e);
}

static void
source_close_track(struct source *s)
{
	av_packet_free(&s->packet);
	avcodec_free_context(&s->decoder);
	avformat_close_input(&s->format);
}

enum worker_failure
source_open(struct input *in, struct source **ret, struct err *e)
{
	SCOPED(source_close_p) struct source *s = calloc(1, sizeof *s);
	bool shown_less;
	enum worker_failure f;

	if (!s)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "source: no memory");
	s->in = in;
	shown_less = mp4_tail_look(in, &s->tail);
	f = source_open_track(s, e);
	if (shown_less && (f || !mp4_tail_fits(&s->tail, s->stream))) {
		source_close_track(s);
		mp4_tail_give_up(&s->tail, in);
		input_rewind(in);
		f = source_open_track(s, e);
	}
	if (f)
		return f;
	if (container_is_cut(in))
		return failure_set(e, WORKER_TRUNCATED, "the header names a later end");
	*ret = TAKE(s);
	return WORKER_FAILURE_NONE;
}

void
source_tags(const struct source *s, struct tags *ret)
{
	metadata_read(s->format, s->stream, ret);
}

static enum source_tapped
source_ask_tap(const struct source *s, int read_result)
{
	if (read_result < 0 || s->packet->stream_index != s->stream->index)
		return SOURCE_LEAVE_OUT;
	return s->tap ? s->tap(s->tap_arg, s->packet) : SOURCE_DECODE;
}

static int
source_read_packet(struct source *s)
{
	int av;

	if (s->tail.in && s->tail.given == s->tail.shown)
		return mp4_tail_read(&s->tail, s->stream, s->packet);
	av = av_read_frame(s->format, s->packet);
	if (av >= 0 && s->packet->stream_index == s->stream->index)
		s->tail.given++;
	return av;
}

/* The track's next packet: as av_read_frame, and AVERROR(EAGAIN) after too many of others. */
static int
source_next_packet(struct source *s)
{
	int av;

	while ((av = source_read_packet(s)) >= 0 || av == AVERROR(EAGAIN)) {
		enum source_tapped what = source_ask_tap(s, av);

		if (what == SOURCE_DECODE)
			return av;
		av_packet_unref(s->packet);
		if (what == SOURCE_END)
			return AVERROR_EOF;
		if (++s->barren > BARREN_MAX)
			return AVERROR(EAGAIN);
	}
	return av;
}

/* Gives the decoder the track's next packet, or tells it that there is none. */
static enum worker_failure
source_feed(struct source *s, struct err *e)
{
	int av = source_next_packet(s);

	if (++s->barren > BARREN_MAX)
		return failure_set(e, WORKER_DAMAGED, "packets without end and without a sample");
	if (av < 0) {
		s->ended = true;
		s->read_result = av;
		av = avcodec_send_packet(s->decoder, NULL);
	} else {
		s->packets++;
		s->cut_packet = (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
		av = avcodec_send_packet(s->decoder, s->packet);
		av_packet_unref(s->packet);
	}
	if (av == AVERROR(ENOMEM) || s->read_result == AVERROR(ENOMEM))
		return failure_av(e, WORKER_OUT_OF_MEMORY, "read", AVERROR(ENOMEM));
	if (av < 0)
		s->damaged++;
	return WORKER_FAILURE_NONE;
}

const AVPacket *
source_packet(struct source *s)
{
	av_packet_unref(s->packet);
	if (source_next_packet(s) < 0)
		return NULL;
	s->barren = 0;
	return s->packet;
}

void
source_tap(struct source *s, source_tap_fn tap, void *arg)
{
	s->tap = tap;
	s->tap_arg = arg;
}

const AVCodecParameters *
source_track(const struct source *s)
{
	return s->stream->codecpar;
}

static bool
source_frame_is_sane(const AVFrame *frame)
{
	return frame->nb_samples > 0 && frame->sample_rate >= RATE_MIN &&
	       frame->sample_rate <= RATE_MAX && frame->ch_layout.nb_channels >= 1 &&
	       frame->ch_layout.nb_channels <= CHANNELS_MAX;
}

enum worker_failure
source_next(struct source *s, AVFrame *ret, bool *ret_end, struct err *e)
{
	for (;;) {
		enum worker_failure f;
		int av = avcodec_receive_frame(s->decoder, ret);

		if (av == 0 && source_frame_is_sane(ret)) {
			s->frames++;
			s->barren = 0;
			*ret_end = false;
			return WORKER_FAILURE_NONE;
		}
		if (av == AVERROR(ENOMEM))
			return failure_av(e, WORKER_OUT_OF_MEMORY, "decode", av);
		if (av == AVERROR_EOF || (av < 0 && s->ended)) {
			*ret_end = true;
			return WORKER_FAILURE_NONE;
		}
		if (av != AVERROR(EAGAIN)) {
			s->damaged++;
			continue;
		}
		if ((f = source_feed(s, e)))
			return f;
	}
}

static bool
source_has_index(const struct source *s)
{
	return av_match_name("mov", s->format->iformat->name) && s->stream->nb_frames > 0;
}

int64_t
source_limit(const struct source *s, int rate)
{
	const AVStream *stream = s->stream;
	int entries = avformat_index_get_entries_count(stream);
	const AVIndexEntry *last;
	int64_t start, padding, last_start;

	if (!source_has_index(s) || stream->duration <= 0 || entries <= 0 ||
	    stream->codecpar->sample_rate <= 0)
		return -1;
	last = avformat_index_get_entry(s->stream, entries - 1);
	last_start = s->tail.in ? mp4_tail_last_start(&s->tail) : last ? last->timestamp : 0;
	start = stream->start_time == AV_NOPTS_VALUE || stream->start_time < 0 ? 0
									       : stream->start_time;
	padding = av_rescale_q(PADDING_MAX, (AVRational){ 1, stream->codecpar->sample_rate },
			       stream->time_base);
	if (!last || av_sat_sub64(last_start, av_sat_add64(start, padding)) > stream->duration)
		return -1;
	return av_rescale_q(stream->duration, stream->time_base, (AVRational){ 1, rate });
}

/* What the file says the track lasts, in samples at rate; 0 = it says nothing that binds. */
static int64_t
source_promised(const struct source *s, int rate)
{
	int64_t samples =
		av_rescale_q(s->stream->duration, s->stream->time_base, (AVRational){ 1, rate });

	if (samples <= 0 || s->format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE)
		return 0;
	return samples;
}

/* Whether the bytes ended before the container did. */
static bool
source_input_is_cut(const struct source *s)
{
	bool points_at_bytes = av_match_name("mov", s->format->iformat->name) != 0;

	return (points_at_bytes && (s->in->end_passed || s->cut_packet)) ||
	       (s->read_result != AVERROR_EOF && avio_feof(s->in->avio));
}

bool
source_is_sound(const struct source *s)
{
	return s->read_result == AVERROR_EOF && !source_input_is_cut(s) && s->damaged == 0;
}

enum worker_failure
source_verdict(const struct source *s, int64_t decoded, int rate, struct err *e)
{
	int64_t whole = source_promised(s, rate), missing = whole - decoded;
	bool shorter = missing > rate / 2 && missing > whole / 50;

	if (source_input_is_cut(s) || (shorter && s->damaged <= 1))
		return failure_set(e, WORKER_TRUNCATED, "%lld of %lld samples, read ended with %d",
				   (long long)decoded, (long long)whole, s->read_result);
	if (s->damaged > s->packets / 2 || decoded < whole / 10 * 9 ||
	    (decoded == 0 && s->packets > 0))
		return failure_set(e, WORKER_DAMAGED, "%lld of %lld packets", (long long)s->damaged,
				   (long long)s->packets);
	if (decoded == 0)
		return failure_set(e, WORKER_NO_AUDIO, "the sound track is empty");
	return WORKER_FAILURE_NONE;
}

double
source_progress(const struct source *s)
{
	return s->in->size > 0 ? (double)avio_tell(s->in->avio) / (double)s->in->size : 0;
}

void
source_close(struct source *s)
{
	if (!s)
		return;
	source_close_track(s);
	free(s);
}
