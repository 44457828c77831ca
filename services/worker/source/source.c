#include "worker/source/private.h"

#include <stdlib.h>

#include <libavutil/avstring.h>
#include <libavutil/frame.h>

#include "worker/monos.h"
#include "worker/source/container.h"
#include "worker/source/refusal.h"
#include "worker/source/end/wav_size.h"
#include "worker/tags/chapters.h"
#include "worker/tags/metadata.h"

/* Of one frame; the largest that a codec of the whitelist makes is FLAC's 65,535. */
#define FRAME_SAMPLES_MAX (1 << 20)

static enum worker_failure
source_open_decoder(struct source *s, const AVCodec *codec, struct err *e)
{
	enum worker_failure f;
	int av;

	s->decoder = avcodec_alloc_context3(codec);
	if (!s->decoder)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "decoder: no memory");
	if ((av = avcodec_parameters_to_context(s->decoder, s->stream->codecpar)) < 0)
		return failure_av(e, WORKER_UNSUPPORTED, "decoder", av);
	s->decoder->pkt_timebase = s->stream->time_base;
	s->decoder->thread_count = 1;
	s->decoder->max_samples = FRAME_SAMPLES_MAX;
	if ((f = refusal_of_protected(s->in, s->format, s->stream, e)))
		return f;
	if (!container_allows(codec->name))
		return refusal_of_codec(s->stream, e);
	if ((av = avcodec_open2(s->decoder, codec, NULL)) < 0)
		return failure_av(e, WORKER_UNSUPPORTED, codec->name, av);
	return WORKER_FAILURE_NONE;
}

/* A kind that no stream has. */
#define PASSED_OVER AVMEDIA_TYPE_NB

/* The best of the tracks whose decoder is on the whitelist, as libav chooses; of all, where none is. */
static int
source_find_track(AVFormatContext *format, int wanted, const AVCodec **ret)
{
	int best = av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, wanted, -1, ret, 0);
	const AVCodec *codec = *ret;
	int index = best;

	while (index >= 0 && !container_allows(codec->name)) {
		format->streams[index]->codecpar->codec_type = PASSED_OVER;
		index = av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, wanted, -1, &codec, 0);
	}
	for (unsigned i = 0; i < format->nb_streams; i++)
		if (format->streams[i]->codecpar->codec_type == PASSED_OVER)
			format->streams[i]->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
	if (index < 0)
		return best;
	*ret = codec;
	return index;
}

static enum worker_failure
source_choose_track(struct source *s, struct err *e)
{
	const AVCodec *codec = NULL;
	int index = source_find_track(s->format, s->options.track - 1, &codec);

	if (index < 0)
		return refusal_of_tracks(s->in, s->format, index, e);
	container_discard_all_but(s->format, index);
	s->stream = s->format->streams[index];
	s->stream->discard = AVDISCARD_DEFAULT;
	follow_open(&s->follow, s->format, s->stream);
	s->packet = av_packet_alloc();
	s->rest = av_packet_alloc();
	s->frame = av_frame_alloc();
	s->next = av_frame_alloc();
	if (!s->packet || !s->rest || !s->frame || !s->next)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "track: no memory");
	return source_open_decoder(s, codec, e);
}

enum worker_failure
source_change_track(struct source *s, struct err *e)
{
	AVStream *other = s->follow.other;
	const AVCodec *codec = avcodec_find_decoder(other->codecpar->codec_id);
	struct warning warning = { WARNING_TRACK_CHANGED,
				   timeline_position(&s->timeline) / (TIMELINE_FLICKS / 1000), 0,
				   1 };

	follow_change(&s->follow);
	s->stream->discard = AVDISCARD_ALL;
	s->stream = other;
	s->ended = false;
	s->mended = true;
	warnings_add(&s->warnings, &warning);
	avcodec_free_context(&s->decoder);
	if (!codec)
		return refusal_of_codec(other, e);
	return source_open_decoder(s, codec, e);
}

static enum worker_failure
source_open_track(struct source *s, enum container_edits edits, struct err *e)
{
	unsigned passed = container_passed_pictures();
	enum worker_failure f = container_open(s->in, edits, s->scan.reading_starts, &s->format, e);

	s->passed_pictures = container_passed_pictures() - passed;
	return f ? f : source_choose_track(s, e);
}

static void
source_close_track(struct source *s)
{
	follow_close(&s->follow);
	av_frame_free(&s->frame);
	av_frame_free(&s->next);
	av_packet_free(&s->packet);
	av_packet_free(&s->rest);
	avcodec_free_context(&s->decoder);
	avformat_close_input(&s->format);
}

void
source_tracks(const struct source *s, struct tracks *ret)
{
	metadata_tracks(s->format, s->stream, ret);
}

bool
source_monos(const struct source *s, int ret[2])
{
	if (!monos_find(s->format, s->stream, ret))
		return false;
	ret[0]++;
	ret[1]++;
	return true;
}

static enum worker_failure
source_open_anew(struct source *s, enum container_edits edits, struct err *e)
{
	source_close_track(s);
	input_rewind(s->in);
	return source_open_track(s, edits, e);
}

/* As libav reads it, where it reads it right; else with as much of it as is. */
static enum worker_failure
source_open_right(struct source *s, struct err *e)
{
	bool shown_less;
	enum worker_failure f;

	prescan_look(s->in, &s->scan);
	shown_less = mp4_tail_look(s->in, &s->tail);
	wav_size_mend(s->in);
	f = source_open_track(s, CONTAINER_APPLIES_EDITS, e);

	if (shown_less && (f || !mp4_tail_fits(&s->tail, s->stream))) {
		mp4_tail_give_up(&s->tail, s->in);
		f = source_open_anew(s, CONTAINER_APPLIES_EDITS, e);
	}
	if (!f && av_match_name("avi", s->format->iformat->name))
		avi_clock_open(&s->avi, s->in, s->stream->index);
	if (!f && av_match_name("ogg", s->format->iformat->name))
		ogg_end_find(s->in, &s->ogg);
	if (!f && av_match_name("caf", s->format->iformat->name))
		caf_padding_find(s->in, &s->caf);
	if (f || s->tail.in || !av_match_name("mov", s->format->iformat->name))
		return f;
	mp4_edits_find(s->in, (uint32_t)s->stream->id, &s->edits);
	return s->edits.count > 0 ? source_open_anew(s, CONTAINER_LEAVES_EDITS, e) : f;
}

enum worker_failure
source_open(struct input *in, const struct source_options *options, struct source **ret,
	    struct err *e)
{
	SCOPED(source_close_p) struct source *s = calloc(1, sizeof *s);
	enum worker_failure f;

	if (!s)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "source: no memory");
	s->in = in;
	s->options = *options;
	s->ogg.at = s->ogg_shift = s->step = -1;
	if ((f = source_open_right(s, e)))
		return f;
	*ret = TAKE(s);
	return WORKER_FAILURE_NONE;
}

void
source_tags(const struct source *s, int64_t zero_ms, struct tags *ret)
{
	metadata_read(s->format, s->stream, ret);
	if (!ret->picture)
		ret->pictures_left_out += s->passed_pictures;
	chapters_read(s->format, zero_ms, ret);
}

const AVCodecParameters *
source_track(const struct source *s)
{
	return s->stream->codecpar;
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
