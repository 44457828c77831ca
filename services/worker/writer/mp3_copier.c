/* An mp3 track of the right rates, taken over frame by frame behind a header frame of its own. */
#include <stdlib.h>

#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>
#include <libavutil/intreadwrite.h>

#include "worker/mp3/copy.h"
#include "worker/source/container.h"
#include "worker/writer/formats.h"
#include "worker/writer/mp3_parts.h"

/* What a decoder puts in front of the encoder's delay, as LAME's tag counts. */
#define DECODER_DELAY 529
/* Players look at a few frames before they believe in an mp3. */
#define FRAMES_MIN 4
#define SKIP_BYTES 8 /* samples to leave out in front and at the end, 32 bits each */

struct mp3_copier {
	struct copier port;
	struct mp3_copy mp3;
	int64_t skip, discard; /* samples that the container leaves out in front and at the end */
	unsigned complaints;   /* of libav, before */
	bool ended;            /* by a packet that is no frame */
	bool refused;
	bool has_bounds;
	struct mp3_bounds bounds;
};

static struct mp3_copier *
mp3_copier_of(struct copier *port)
{
	return CONTAINER_OF(port, struct mp3_copier, port);
}

static bool
mp3_copier_may_do(const struct source *source, const struct media_spec *spec)
{
	const AVCodecParameters *track = source_track(source);

	return track->codec_id == AV_CODEC_ID_MP3 && track->sample_rate == spec->sample_rate &&
	       track->ch_layout.nb_channels == spec->channels;
}

/* Samples may be left out in front of the first frame's and behind one from which on all are. */
static bool
mp3_copier_note_bounds(struct mp3_copier *c, const AVPacket *packet)
{
	size_t size = 0;
	const uint8_t *words = av_packet_get_side_data(packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
	uint32_t skip = words && size >= SKIP_BYTES ? AV_RL32(words) : 0;
	uint32_t discard = words && size >= SKIP_BYTES ? AV_RL32(words + 4) : 0;

	if ((skip > 0 && c->mp3.totals.frames > 1) ||
	    (c->discard > 0 && discard != (uint32_t)c->mp3.m.frame_samples))
		return false;
	c->skip += skip;
	c->discard += discard;
	return true;
}

/* Whether a decoder plays nothing of a last packet: the file's end cut it, or it is a tag. */
static bool
mp3_copier_is_silent(const struct mp3_copier *c, const AVPacket *packet)
{
	return (packet->flags & AV_PKT_FLAG_DISCARD) ||
	       mp3_copy_is_no_frame(&c->mp3, packet->data, (size_t)packet->size);
}

static enum source_tapped
mp3_copier_look_at(void *arg, const AVPacket *packet)
{
	struct mp3_copier *c = arg;
	bool sound = !c->ended && !(packet->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT));

	if (sound && mp3_copy_take(&c->mp3, packet->data, (size_t)packet->size)) {
		if (mp3_copier_note_bounds(c, packet))
			return SOURCE_DECODE;
	} else if (!c->ended && c->mp3.totals.frames > 0 && mp3_copier_is_silent(c, packet)) {
		c->ended = true;
		return SOURCE_LEAVE_OUT;
	}
	c->refused = true;
	return SOURCE_END;
}

static struct copier *
mp3_copier_look(struct source *source, const struct media_spec *spec)
{
	SCOPED_FREE struct mp3_copier *c = calloc(1, sizeof *c);
	struct mp3_format format = mp3_format_of(spec);

	if (!c || mp3_copy_begin(&c->mp3, &format, NULL) < 0)
		return NULL;
	c->port.ops = &copier_mp3;
	c->complaints = container_complaints();
	source_tap(source, mp3_copier_look_at, c);
	return &TAKE(c)->port;
}

/* As a decoder of the source leaves samples out, one of the copy must; false when no tag can say
 * so. */
static bool
mp3_copier_settle_bounds(struct mp3_copier *c, int64_t kept)
{
	int64_t all = c->mp3.totals.frames * c->mp3.m.frame_samples;
	int64_t delay = c->skip - DECODER_DELAY, padding = all - c->skip - kept + DECODER_DELAY;

	c->has_bounds = c->skip > 0 || kept != all;
	if (!c->has_bounds)
		return true;
	c->bounds = (struct mp3_bounds){ (int)delay, (int)padding };
	return delay >= 0 && delay <= MP3_BOUND_MAX && padding >= DECODER_DELAY &&
	       padding <= MP3_BOUND_MAX;
}

/* A decoder that complains heard damage, which an encoder would make good. */
static bool
mp3_copier_decide(struct copier *port, const struct source *source, int64_t decoded, int64_t kept)
{
	struct mp3_copier *c = mp3_copier_of(port);
	int64_t all = c->mp3.totals.frames * c->mp3.m.frame_samples;

	return !c->refused && c->mp3.totals.frames >= FRAMES_MIN && source_is_sound(source) &&
	       container_complaints() == c->complaints && decoded == all - c->skip - c->discard &&
	       mp3_copier_settle_bounds(c, kept);
}

static enum worker_failure
mp3_copier_write(struct copier *port, struct source *source, const struct writer_order *order,
		 const struct writer_total *total, struct err *e)
{
	struct mp3_copier *c = mp3_copier_of(port);
	uint8_t header[MP3_FRAME_MAX];
	size_t len = mp3_copy_header(&c->mp3, c->has_bounds ? &c->bounds : NULL, header);
	struct id3_tail tail;
	enum worker_failure f;

	if ((f = mp3_tag_write(order, &tail, e)))
		return f;
	mp3_tail_settle(&tail, order->spec, total);
	output_write(order->out, tail.bytes, tail.len);
	output_write(order->out, header, len);
	for (int64_t left = c->mp3.totals.frames; left > 0; left--) {
		const AVPacket *packet = source_packet(source);

		if (!packet || packet->size > MP3_FRAME_MAX)
			return failure_set(e, WORKER_BROKEN, "%lld frames fewer than before",
					   (long long)left);
		output_write(order->out, packet->data, (size_t)packet->size);
	}
	return WORKER_FAILURE_NONE;
}

static void
mp3_copier_close(struct copier *port)
{
	free(mp3_copier_of(port));
}

const struct copier_ops copier_mp3 = {
	.may_do = mp3_copier_may_do,
	.look = mp3_copier_look,
	.decide = mp3_copier_decide,
	.write = mp3_copier_write,
	.close = mp3_copier_close,
};
