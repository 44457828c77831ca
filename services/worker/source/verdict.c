#include "worker/source/private.h"

#include <libavutil/avstring.h>

#include "worker/source/container.h"

/* How far in front of the index's last packet a track's declared end may lie and be believed: codec
 * padding is shorter, a lying header is not. Samples. */
#define PADDING_MAX 8192
/* A header that says more is no promise. */
#define LENGTH_MAX (1000 * 3600 * TIMELINE_FLICKS)

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

	if (s->caf.sound > 0 && stream->codecpar->sample_rate > 0)
		return av_rescale(s->caf.sound, rate, stream->codecpar->sample_rate);
	/* pieces of an edit list end by themselves */
	if (!source_has_index(s) || stream->duration <= 0 || entries <= 0 ||
	    stream->codecpar->sample_rate <= 0 || s->edits.count > 0)
		return -1;
	last = avformat_index_get_entry(s->stream, entries - 1);
	last_start = s->tail.in ? mp4_tail_last_start(&s->tail) : last ? last->timestamp : 0;
	start = stream->start_time == AV_NOPTS_VALUE || stream->start_time < 0 ? 0
									       : stream->start_time;
	padding = av_rescale_q(PADDING_MAX, (AVRational){ 1, stream->codecpar->sample_rate },
			       stream->time_base);
	if (!last || av_sat_sub64(last_start, av_sat_add64(start, padding)) > stream->duration)
		return -1;
	/* of late sound libav's duration is the film's or the track's, whichever is shorter */
	if (s->edits.late_end > 0)
		return av_rescale(s->edits.late_end, rate, TIMELINE_FLICKS);
	/* the duration is the track's; what lies in front of it is of the film */
	return av_rescale_q(av_sat_add64(start, stream->duration), stream->time_base,
			    (AVRational){ 1, rate });
}

/* What the head of a file of sound alone says that it lasts, in flicks; 0 = it says nothing that
 * binds. A film's length is no promise of its sound. */
static int64_t
source_promised(const struct source *s)
{
	int64_t length = source_flicks(s, s->stream->duration);

	if (!av_match_list("mp3,flac,wav,w64,aiff,au,caf,wv,tta,ape,dsf", s->format->iformat->name,
			   ',') ||
	    s->format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE)
		return 0;
	return length > 0 && length < LENGTH_MAX ? length : 0;
}

/* Whether an mp4's index names bytes behind the file's end. */
static bool
source_index_is_cut(const struct source *s)
{
	int entries = avformat_index_get_entries_count(s->stream);
	const AVIndexEntry *last =
		entries > 0 ? avformat_index_get_entry(s->stream, entries - 1) : NULL;

	return last && last->pos + last->size > s->in->size;
}

/* Whether the bytes ended before the container did. */
static bool
source_input_is_cut(const struct source *s)
{
	bool points_at_bytes = av_match_name("mov", s->format->iformat->name) != 0;

	return (points_at_bytes &&
		(s->in->end_passed || s->cut_packet || source_index_is_cut(s))) ||
	       (s->read_result != AVERROR_EOF && avio_feof(s->in->avio)) ||
	       container_is_cut(s->in) || (s->ogg.at >= 0 && !s->ogg.says_end);
}

bool
source_is_sound(const struct source *s)
{
	return s->read_result == AVERROR_EOF && !source_input_is_cut(s) && s->damaged == 0 &&
	       !s->mended;
}

static void
source_warn_of_cut(struct source *s)
{
	int64_t position = timeline_position(&s->timeline), whole = source_promised(s);
	int64_t missing = whole > position ? whole - position : 0;
	bool shorter = missing > TIMELINE_FLICKS / 2 && missing > whole / 50;
	struct warning warning = { WARNING_TRUNCATED, position / (TIMELINE_FLICKS / 1000),
				   shorter ? missing / (TIMELINE_FLICKS / 1000) : 0, 1 };

	if (source_input_is_cut(s) || s->short_packet || (shorter && s->damaged <= 1))
		warnings_add(&s->warnings, &warning);
}

enum worker_failure
source_verdict(struct source *s, struct err *e)
{
	if (s->frames == 0 && s->odd > 0)
		return failure_set(e, WORKER_UNSUPPORTED, "%lld frames of an odd kind",
				   (long long)s->odd);
	if (s->frames == 0 && s->packets > 0)
		return failure_set(e, WORKER_DAMAGED, "none of %lld packets could be decoded",
				   (long long)s->packets);
	if (s->frames == 0)
		return failure_set(e, source_input_is_cut(s) ? WORKER_TRUNCATED : WORKER_NO_AUDIO,
				   "the sound track is empty");
	if (s->damaged > s->packets / 2 && s->format->probe_score < AVPROBE_SCORE_RETRY)
		return failure_set(e, WORKER_NOT_MEDIA, "%lld of %lld packets were none",
				   (long long)s->damaged, (long long)s->packets);
	source_warn_of_cut(s);
	return WORKER_FAILURE_NONE;
}

const struct warnings *
source_warnings(const struct source *s)
{
	return &s->warnings;
}
