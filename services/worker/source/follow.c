#include "worker/source/follow.h"

#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>

/* So much of another track without a packet of ours: ours has ended. */
#define CHANGED_MS 1000
/* By so much the two may be interleaved where one ends and the other begins. */
#define BESIDE_MS 500

static int64_t
follow_ms(const struct follow *f, int64_t ms)
{
	return av_rescale_q(ms, (AVRational){ 1, 1000 }, f->other->time_base);
}

static void
follow_forget(struct follow *f)
{
	for (size_t i = f->given; i < f->count; i++)
		av_packet_free(&f->held[i]);
	f->count = f->given = 0;
	f->other = NULL;
	f->followed = false;
}

static bool
follow_is_of_program(AVFormatContext *format, const AVStream *ours, const AVStream *other)
{
	AVProgram *program = av_find_program_from_stream(format, NULL, ours->index);

	for (unsigned i = 0; program && i < program->nb_stream_indexes; i++)
		if (program->stream_index[i] == (unsigned)other->index)
			return true;
	return !program;
}

void
follow_open(struct follow *f, AVFormatContext *format, const AVStream *ours)
{
	f->wanted = av_match_name("mpegts", format->iformat->name) != 0;
	for (unsigned i = 0; f->wanted && i < format->nb_streams; i++) {
		AVStream *stream = format->streams[i];

		if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
		    follow_is_of_program(format, ours, stream))
			stream->discard = AVDISCARD_DEFAULT;
	}
}

void
follow_note_ours(struct follow *f, const AVPacket *packet)
{
	if (!f->other || packet->pts == AV_NOPTS_VALUE ||
	    packet->pts < f->first + follow_ms(f, BESIDE_MS))
		return;
	f->other->discard = AVDISCARD_ALL;
	follow_forget(f);
}

void
follow_note_other(struct follow *f, AVFormatContext *format, const AVStream *ours, AVPacket *packet)
{
	AVStream *stream = format->streams[packet->stream_index];
	AVPacket *taken;

	if (!f->wanted || stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO ||
	    packet->pts == AV_NOPTS_VALUE || (f->other && f->other != stream) ||
	    !follow_is_of_program(format, ours, stream))
		return;
	if (f->count == FOLLOW_PACKETS_MAX || !(taken = av_packet_alloc())) {
		f->changed = f->count == FOLLOW_PACKETS_MAX;
		return;
	}
	if (!f->other)
		f->first = packet->pts;
	f->other = stream;
	av_packet_move_ref(taken, packet);
	f->held[f->count++] = taken;
	f->changed = taken->pts >= f->first + follow_ms(f, CHANGED_MS);
}

bool
follow_at_end(struct follow *f)
{
	f->changed = f->count > 0;
	return f->changed;
}

void
follow_change(struct follow *f)
{
	f->changed = false;
	f->followed = f->count > 0;
}

bool
follow_next(struct follow *f, AVPacket *ret)
{
	if (!f->followed)
		return false;
	av_packet_move_ref(ret, f->held[f->given]);
	av_packet_free(&f->held[f->given++]);
	if (f->given == f->count)
		follow_forget(f);
	return true;
}

void
follow_close(struct follow *f)
{
	follow_forget(f);
}
