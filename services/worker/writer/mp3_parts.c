#include "worker/writer/mp3_parts.h"

#include <assert.h>
#include <stdlib.h>

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

static void
mp3_tag_warn(const struct writer_order *order, enum warning_code code, uint32_t events)
{
	const struct warning warning = { code, -1, 0, events };

	if (events > 0)
		warnings_add(order->warnings, &warning);
}

enum worker_failure
mp3_tag_write(const struct writer_order *order, struct id3_tail *ret_tail, struct err *e)
{
	SCOPED_FREE uint8_t *head = malloc(ID3_HEAD_MAX);
	const struct tags *tags = order->tags;

	if (!head)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "tag: no memory");
	output_write(order->out, head, id3_write(tags, head, ret_tail));
	if (tags->picture_len > 0)
		output_write(order->out, tags->picture, tags->picture_len);
	mp3_tag_warn(order, WARNING_COVER_LEFT_OUT, tags->pictures_left_out);
	mp3_tag_warn(order, WARNING_CHAPTERS_LEFT_OUT, tags->chapters_left_out);
	return WORKER_FAILURE_NONE;
}

void
mp3_tail_settle(struct id3_tail *tail, const struct media_spec *spec,
		const struct writer_total *total)
{
	id3_tail_settle(tail, total->samples * 1000 / spec->sample_rate, &total->loudness);
}
