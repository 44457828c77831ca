#include "worker/source/end/wav_size.h"

#include <string.h>

#define CHUNKS_MAX 64
/* Where "ds64" has the size of the data: behind "RF64", a size, "WAVE", "ds64", a size, and the size
 * of all. */
#define DS64_DATA 28
/* High half of a size that no file has, and that libav can multiply by eight. */
#define ENDLESS 0x00800000

static uint32_t
wav_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static void
wav_patch(struct input *in, int64_t at, uint32_t value)
{
	struct input_patch *patch = &in->patches[0];

	patch->at = at;
	for (int i = 0; i < 4; i++)
		patch->bytes[i] = (uint8_t)(value >> 8 * i);
}

static void
wav_mend_ds64(struct input *in)
{
	uint8_t head[DS64_DATA + 8];
	uint32_t low, high;

	if (in->size < DS64_DATA + 8 || !input_peek(in, 0, head, sizeof head) ||
	    memcmp(head + 12, "ds64", 4) != 0)
		return;
	low = wav_u32(head + DS64_DATA);
	high = wav_u32(head + DS64_DATA + 4);
	if ((low == 0 && high == 0) || high > ENDLESS)
		wav_patch(in, DS64_DATA + 4, ENDLESS);
}

/* More behind the data's end than its size could say: it has wrapped. */
static void
wav_mend_wrapped(struct input *in)
{
	uint8_t head[8];
	int64_t at = 12;

	for (int i = 0; i < CHUNKS_MAX && at + 8 <= in->size; i++) {
		uint32_t size;

		if (!input_peek(in, at, head, sizeof head))
			return;
		size = wav_u32(head + 4);
		if (memcmp(head, "data", 4) == 0) {
			if (in->size - at - 8 - (int64_t)size > UINT32_MAX)
				wav_patch(in, at + 4, 0);
			return;
		}
		at += 8 + (int64_t)size + (size & 1);
	}
}

void
wav_size_mend(struct input *in)
{
	uint8_t head[12];

	if (!input_peek(in, 0, head, sizeof head) || memcmp(head + 8, "WAVE", 4) != 0)
		return;
	if (memcmp(head, "RIFF", 4) == 0)
		wav_mend_wrapped(in);
	else if (memcmp(head, "RF64", 4) == 0 || memcmp(head, "BW64", 4) == 0)
		wav_mend_ds64(in);
}
