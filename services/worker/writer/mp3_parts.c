#include "worker/writer/mp3_parts.h"

#include <assert.h>

#include "worker/tags/id3.h"

/* Levels 0 to 3 are known for a fault of LAME's in constant bit rates (its bug 516); 3, its
 * default, takes as long as 4 and is no nearer to the source by more than 0.1 dB. */
#define LAME_QUALITY 4

static_assert(ID3_HEAD_MAX + TAG_PICTURE_MAX <= WORKER_TAG_MAX, "the largest tag is let through");

struct mp3_format
mp3_format_of(const struct media_spec *spec)
{
	return (struct mp3_format){
		.sample_rate = spec->sample_rate,
		.channels = spec->channels,
		.bit_rate = spec->bit_rate,
		.vbr = MP3_VBR_OFF,
		.quality = LAME_QUALITY,
	};
}

void
mp3_tag_write(const struct writer_order *order)
{
	uint8_t head[ID3_HEAD_MAX];
	size_t len = id3_write(order->tags, head);

	output_write(order->out, head, len);
	if (order->tags->picture_len > 0)
		output_write(order->out, order->tags->picture, order->tags->picture_len);
}
