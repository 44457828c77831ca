#include "worker/source/prescan.h"

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>

#include "worker/source/container.h"
#include "worker/source/timeline.h"

/* Read until sound turns up: a minute of picture at 30 Mbit/s. */
#define LATE_BYTES ((int64_t)256 << 20)
#define LATE_CPU_S 30
/* Read behind the first sound, for a picture that starts beside it. */
#define BESIDE_BYTES ((int64_t)4 << 20)
/* A picture's packets come in another order than they are shown. */
#define PICTURES 16
/* What libav looks at by itself. */
#define NEAR_BYTES ((int64_t)2 << 20)
#define NEAR_TIME (2 * TIMELINE_FLICKS)
/* A transport stream tells of a stream in a table in front of it. */
#define TABLE_BYTES ((int64_t)256 << 10)

struct scan {
	AVFormatContext *format;
	AVPacket *packet;
	int64_t earliest, sound_starts; /* flicks */
	int64_t sound_at;               /* byte, -1 = no sound yet */
	unsigned streams_at_first, sound_stream;
	int pictures;
	bool is_ogg;
};

static bool
scan_is_wanted(struct input *in)
{
	uint8_t start[8192 + AVPROBE_PADDING_SIZE] = { 0 };
	AVProbeData probe = { .filename = "", .buf = start };
	const AVInputFormat *known;
	int score = 0, got = avio_read(in->avio, start, sizeof start - AVPROBE_PADDING_SIZE);

	input_rewind(in);
	if (got <= 0)
		return false;
	probe.buf_size = got;
	known = av_probe_input_format3(&probe, 1, &score);
	return known && av_match_list("mpegts,mpeg,ogg", known->name, ',') != 0;
}

static void
scan_note(struct scan *s, const struct AVStream *stream)
{
	enum AVMediaType kind = stream->codecpar->codec_type;
	int64_t at;

	at = av_rescale_q(s->packet->pts, stream->time_base, (AVRational){ 1, TIMELINE_FLICKS });
	if (kind == AVMEDIA_TYPE_AUDIO && s->sound_at < 0) {
		s->sound_at = s->packet->pos < 0 ? avio_tell(s->format->pb) : s->packet->pos;
		s->sound_stream = (unsigned)s->packet->stream_index;
		s->sound_starts = s->packet->pts == AV_NOPTS_VALUE ? s->earliest : at;
	} else if (kind == AVMEDIA_TYPE_VIDEO)
		s->pictures++;
	else if (kind != AVMEDIA_TYPE_AUDIO)
		return;
	/* what an Ogg file has in front of its first sample is not known from its packets */
	if (s->packet->pts == AV_NOPTS_VALUE || (s->is_ogg && kind == AVMEDIA_TYPE_AUDIO))
		return;
	if (s->earliest == TIMELINE_UNKNOWN || at < s->earliest)
		s->earliest = at;
}

static bool
scan_is_done(const struct scan *s, const struct input *in)
{
	if (s->sound_at < 0)
		return in->position > LATE_BYTES;
	return s->pictures >= PICTURES || in->position - s->sound_at > BESIDE_BYTES;
}

/* 0: libav finds the sound from the file's start. */
static int64_t
scan_reading_starts(const struct scan *s)
{
	bool near = s->sound_at < NEAR_BYTES && s->earliest != TIMELINE_UNKNOWN &&
		    av_sat_sub64(s->sound_starts, s->earliest) < NEAR_TIME;
	bool table = s->sound_stream >= s->streams_at_first &&
		     av_match_name("mpegts", s->format->iformat->name);

	if (near || s->sound_at < 0)
		return 0;
	if (!table)
		return s->sound_at;
	return s->sound_at > TABLE_BYTES ? s->sound_at - TABLE_BYTES : 0;
}

static void
scan_read(struct scan *s, struct input *in)
{
	int av = 0;

	while (!scan_is_done(s, in) &&
	       ((av = av_read_frame(s->format, s->packet)) >= 0 || av == AVERROR(EAGAIN))) {
		if (av >= 0)
			scan_note(s, s->format->streams[s->packet->stream_index]);
		av_packet_unref(s->packet);
	}
}

void
prescan_look(struct input *in, struct prescan *ret)
{
	struct scan s = { .earliest = TIMELINE_UNKNOWN, .sound_at = -1 };

	*ret = (struct prescan){ TIMELINE_UNKNOWN, 0 };
	if (!scan_is_wanted(in))
		return;
	input_hurry(in, LATE_CPU_S);
	s.packet = av_packet_alloc();
	if (s.packet && !container_open_file(in, CONTAINER_APPLIES_EDITS, &s.format, NULL)) {
		s.streams_at_first = s.format->nb_streams;
		s.is_ogg = av_match_name("ogg", s.format->iformat->name) != 0;
		if (!s.is_ogg || container_has_picture(s.format))
			scan_read(&s, in);
		ret->zero = s.earliest;
		ret->reading_starts = s.is_ogg ? 0 : scan_reading_starts(&s);
	}
	av_packet_free(&s.packet);
	avformat_close_input(&s.format);
	input_hurry(in, 0);
	input_rewind(in);
}
