#include "worker/source/mp4/tail.h"

#include <string.h>

#include <libavformat/avformat.h>

/* Below that many packets libav's index is small. It is shown what it probes: 5 s at up to 96 kHz.
 */
#ifndef MP4_TAIL_MIN
#define MP4_TAIL_MIN 8192
#define MP4_TAIL_SHOWN 512
#endif

static void
mp4_tail_patch(struct input_patch *to, int64_t at, uint32_t value)
{
	*to = (struct input_patch){
		at,
		{ (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		  (uint8_t)value },
	};
}

/* Whole chunks: no table says of a part of one. *ret_runs: entries of stsc that tell of them. */
static uint32_t
mp4_tail_show(struct mp4_samples *samples, uint32_t *ret_runs)
{
	struct mp4_sample sample;

	do {
		*ret_runs = samples->stsc_entry + 1;
		(void)mp4_samples_next(samples, &sample);
	} while (samples->next < samples->count &&
		 (samples->next < MP4_TAIL_SHOWN || samples->in_chunk > 0));
	return samples->next;
}

bool
mp4_tail_look(struct input *in, struct mp4_tail *ret)
{
	struct mp4_samples samples;
	uint32_t shown, runs;

	mp4_tail_give_up(ret, in);
	if (!mp4_samples_open(in, MP4_TAIL_SHOWN, &samples) || samples.count < MP4_TAIL_MIN ||
	    (shown = mp4_tail_show(&samples, &runs)) == samples.count)
		return false;
	mp4_tail_patch(&in->patches[0], samples.track.leaf[MP4_STSZ].from + 8, shown);
	mp4_tail_patch(&in->patches[1], samples.track.leaf[mp4_samples_offsets(&samples)].from + 4,
		       samples.chunk);
	mp4_tail_patch(&in->patches[2], samples.track.leaf[MP4_STSC].from + 4, runs);
	mp4_samples_rewind(&samples);
	*ret = (struct mp4_tail){ .in = in, .samples = samples, .shown = shown };
	return true;
}

bool
mp4_tail_fits(struct mp4_tail *t, AVStream *stream)
{
	const AVIndexEntry *entry = NULL;
	struct mp4_sample sample = { 0 };

	if (stream->codecpar->codec_id != AV_CODEC_ID_AAC ||
	    avformat_index_get_entries_count(stream) != (int)t->shown)
		return false;
	for (uint32_t i = 0; i < t->shown; i++) {
		entry = avformat_index_get_entry(stream, (int)i);
		if (!entry || !mp4_samples_next(&t->samples, &sample) ||
		    entry->pos != sample.position || (uint32_t)entry->size != sample.size)
			return false;
	}
	if (!entry || entry->flags != AVINDEX_KEYFRAME)
		return false;
	t->shift = entry->timestamp - sample.start;
	return true;
}

void
mp4_tail_give_up(struct mp4_tail *t, struct input *in)
{
	t->in = NULL;
	memset(in->patches, 0, sizeof in->patches);
}

int
mp4_tail_read(struct mp4_tail *t, const AVStream *stream, AVPacket *packet)
{
	AVIOContext *avio = t->in->avio;
	struct mp4_sample sample;
	int64_t at;
	int av;

	if (!mp4_samples_next(&t->samples, &sample))
		return t->in->peek_failed ? AVERROR(ENOMEM) : AVERROR_EOF;
	if ((at = avio_seek(avio, sample.position, SEEK_SET)) != sample.position)
		return at < 0 ? (int)at : AVERROR_INVALIDDATA;
	if ((av = av_get_packet(avio, packet, (int)sample.size)) < 0 ||
	    (av = av_packet_make_refcounted(packet)) < 0)
		return av;
	packet->stream_index = stream->index;
	packet->pts = packet->dts = sample.start + t->shift;
	packet->duration = sample.duration;
	packet->time_base = stream->time_base;
	packet->flags |= AV_PKT_FLAG_KEY;
	return 0;
}

int64_t
mp4_tail_last_start(const struct mp4_tail *t)
{
	return t->samples.last_start + t->shift;
}
