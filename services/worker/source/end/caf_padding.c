#include "worker/source/end/caf_padding.h"

#define NAME(a, b, c, d)                                                                           \
	((uint64_t)(a) << 24 | (uint64_t)(b) << 16 | (uint64_t)(c) << 8 | (uint64_t)(d))
#define FIRST_CHUNK 8
#define HEAD 12
#define CHUNKS_MAX 1000
/* In the description, which is the first chunk. */
#define PACKET_SAMPLES (FIRST_CHUNK + HEAD + 20)
/* In the table: how many packets, how many samples of sound, in front of it, and behind it. */
#define TABLE_BYTES 24
#define PRIMING_MAX 65536

static uint64_t
caf_number(struct input *in, int64_t at, int bytes)
{
	uint8_t number[8] = { 0 };
	uint64_t value = 0;

	(void)input_peek(in, at, number, (size_t)bytes);
	for (int i = 0; i < bytes; i++)
		value = value << 8 | number[i];
	return value;
}

static void
caf_read_table(struct input *in, int64_t at, struct caf_padding *ret)
{
	uint64_t samples = caf_number(in, PACKET_SAMPLES, 4), packets = caf_number(in, at, 8),
		 sound = caf_number(in, at + 8, 8), priming = caf_number(in, at + 16, 4),
		 behind = caf_number(in, at + 20, 4);

	if (priming > PRIMING_MAX || packets > INT32_MAX || samples > PRIMING_MAX || sound == 0 ||
	    sound > INT64_MAX / 2 || priming + sound + behind != packets * samples)
		return;
	ret->priming = (uint32_t)priming;
	ret->sound = (int64_t)sound;
}

void
caf_padding_find(struct input *in, struct caf_padding *ret)
{
	int64_t at = FIRST_CHUNK;

	*ret = (struct caf_padding){ 0 };
	for (int i = 0; i < CHUNKS_MAX && at <= in->size - HEAD - TABLE_BYTES; i++) {
		uint64_t name = caf_number(in, at, 4), size = caf_number(in, at + 4, 8);

		if (name == NAME('p', 'a', 'k', 't')) {
			caf_read_table(in, at + HEAD, ret);
			return;
		}
		if (size > (uint64_t)in->size)
			return;
		at += HEAD + (int64_t)size;
	}
}
