#include "worker/source/private.h"

#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>

#include "worker/source/raw/frame_size.h"

/* Containers of raw streams, which are cut into frames by the frames' own headers. */
#define RAW "mp3,aac,ac3,eac3,dts,loas,mpegts,mpeg"

/* Flicks; far beyond any film, and far from overflow. */
#define TIME_MAX (INT64_C(1) << 61)
/* Samples in front and behind, 4 bytes each, and the reasons. */
#define SKIP_BYTES 10
#define ID3_HEADER 10 /* bytes */
#define ID3_HAS_FOOTER 0x10

int64_t
source_flicks(const struct source *s, int64_t time)
{
	int64_t flicks;

	if (time == AV_NOPTS_VALUE)
		return TIMELINE_UNKNOWN;
	flicks = av_rescale_q(time, s->stream->time_base, (AVRational){ 1, TIMELINE_FLICKS });
	return flicks > -TIME_MAX && flicks < TIME_MAX ? flicks : TIMELINE_UNKNOWN;
}

void
source_note_damage(struct source *s)
{
	s->damaged++;
	s->lost++;
}

static enum source_tapped
source_ask_tap(const struct source *s, int read_result)
{
	if (read_result < 0 || s->packet->stream_index != s->stream->index)
		return SOURCE_LEAVE_OUT;
	return s->tap ? s->tap(s->tap_arg, s->packet) : SOURCE_DECODE;
}

/* When libav has lost the time of sound: in an AVI, behind chunks without bytes; in an Ogg file, on
 * its last page. */
static void
source_correct_time(struct source *s)
{
	AVPacket *packet = s->packet;
	int64_t starts = av_sat_sub64(av_sat_sub64(s->ogg.granule, s->ogg.samples),
				      s->stream->codecpar->initial_padding);

	if (packet->pts == AV_NOPTS_VALUE)
		return;
	if (s->avi.in)
		packet->pts += avi_clock_pass(&s->avi, packet->pos);
	if (s->ogg.at < 0 || packet->pos != s->ogg.at || s->ogg.samples < 0 ||
	    s->stream->codecpar->codec_id != AV_CODEC_ID_OPUS)
		return;
	if (s->ogg_shift < 0)
		s->ogg_shift = starts > packet->pts ? av_sat_sub64(starts, packet->pts) : 0;
	packet->pts = av_sat_add64(packet->pts, s->ogg_shift);
}

static bool
source_packet_is_short(const struct source *s)
{
	const AVPacket *packet = s->packet;

	return packet->size > 0 &&
	       (size_t)packet->size < frame_size((int)s->stream->codecpar->codec_id, packet->data,
						 (size_t)packet->size) &&
	       av_match_list(RAW, s->format->iformat->name, ',');
}

static int
source_read_whole(struct source *s)
{
	int av;

	if (s->tail.in && s->tail.given == s->tail.shown)
		return mp4_tail_read(&s->tail, s->stream, s->packet);
	if (follow_next(&s->follow, s->packet))
		return 0;
	av = av_read_frame(s->format, s->packet);
	if (av < 0)
		return follow_at_end(&s->follow) ? AVERROR_EOF : av;
	if (s->packet->stream_index != s->stream->index) {
		follow_note_other(&s->follow, s->format, s->stream, s->packet);
		return s->follow.changed ? AVERROR_EOF : AVERROR(EAGAIN);
	}
	follow_note_ours(&s->follow, s->packet);
	s->tail.given++;
	s->short_packet = source_packet_is_short(s);
	source_correct_time(s);
	return av;
}

/* Of several AMR frames in a packet, as phones write them, libav decodes the first alone: the others
 * are kept, to be given one by one. */
static int
source_split_packet(struct source *s)
{
	enum AVCodecID codec = s->stream->codecpar->codec_id;
	size_t first;
	int av;

	if (codec != AV_CODEC_ID_AMR_NB && codec != AV_CODEC_ID_AMR_WB)
		return 0;
	first = frame_size((int)codec, s->packet->data, (size_t)s->packet->size);
	if (first == 0 || first >= (size_t)s->packet->size)
		return 0;
	if ((av = av_packet_ref(s->rest, s->packet)) < 0)
		return av;
	s->rest->data += first;
	s->rest->size -= (int)first;
	s->rest->pts = s->rest->dts = AV_NOPTS_VALUE;
	s->packet->size = (int)first;
	return 0;
}

static int
source_read_packet(struct source *s)
{
	int av = 0;

	if (s->rest->size > 0)
		av_packet_move_ref(s->packet, s->rest);
	else
		av = source_read_whole(s);
	return av < 0 ? av : source_split_packet(s);
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

static void
source_note_packet(struct source *s)
{
	int64_t end = source_flicks(s, av_sat_add64(s->packet->pts, s->packet->duration));
	int64_t at = source_flicks(s, s->packet->pts);

	if (s->packets == 0)
		s->first_packet = at;
	else if (s->packets == 1 && at != TIMELINE_UNKNOWN && s->first_packet != TIMELINE_UNKNOWN)
		s->step = at - s->first_packet;
	s->packets++;
	s->cut_packet = (s->packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
	if (s->packet->pts != AV_NOPTS_VALUE && end != TIMELINE_UNKNOWN && end > s->packets_end)
		s->packets_end = end;
}

/* What is in front of the sound is decoded, and left out by libav. */
static int
source_mark_priming(struct source *s)
{
	uint8_t *mark;

	if (s->caf.priming == 0 || s->packets > 0)
		return 0;
	mark = av_packet_new_side_data(s->packet, AV_PKT_DATA_SKIP_SAMPLES, SKIP_BYTES);
	if (!mark)
		return AVERROR(ENOMEM);
	memset(mark, 0, SKIP_BYTES);
	AV_WL32(mark, s->caf.priming);
	s->mended = true;
	return 0;
}

/* How long the ID3v2 tag is that data begins with; 0 = it is none. */
static int64_t
id3_length(const uint8_t *data, int size)
{
	int64_t length = 0;

	if (size < ID3_HEADER || memcmp(data, "ID3", 3) != 0)
		return 0;
	for (int i = 6; i < ID3_HEADER; i++)
		length = length << 7 | (data[i] & 0x7f);
	return length + ID3_HEADER + (data[5] & ID3_HAS_FOOTER ? ID3_HEADER : 0);
}

/* Where mp3s were joined end to end, libav takes the tag between them for packets of sound. Returns
 * whether the packet holds nothing else. */
static bool
source_pass_tag(struct source *s)
{
	AVPacket *packet = s->packet;
	int64_t cut;

	if (!av_match_name("mp3", s->format->iformat->name))
		return false;
	if (s->tag_left == 0)
		s->tag_left = id3_length(packet->data, packet->size);
	/* one that ends behind the file is none: it would pass for all that follows */
	if (s->tag_left == 0 || s->tag_left > s->in->size - packet->pos) {
		s->tag_left = 0;
		return false;
	}
	cut = s->tag_left < packet->size ? s->tag_left : packet->size;
	s->tag_left -= cut;
	packet->data += cut;
	packet->size -= (int)cut;
	s->mended = true;
	return packet->size == 0;
}

enum worker_failure
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
		av = source_mark_priming(s);
		source_note_packet(s);
		if (av == 0 && !source_pass_tag(s))
			av = avcodec_send_packet(s->decoder, s->packet);
		av_packet_unref(s->packet);
	}
	if (av == AVERROR(ENOMEM) || s->read_result == AVERROR(ENOMEM))
		return failure_av(e, WORKER_OUT_OF_MEMORY, "read", AVERROR(ENOMEM));
	if (av < 0)
		source_note_damage(s);
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
