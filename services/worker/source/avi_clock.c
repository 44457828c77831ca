#include "worker/source/avi_clock.h"

#include <string.h>

#define NAME(a, b, c, d)                                                                           \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define CHUNK_HEAD 8
#define LIST_HEAD 12 /* and a name of its own, behind which the chunks are */
/* Of a header; a film's has a dozen streams. */
#define HEADER_CHUNKS_MAX 1000
/* A stream header's field: bytes of one sample; 0 = each chunk is one unit of the clock. */
#define STRH_SAMPLE_SIZE 44

static uint32_t
avi_u32(const uint8_t *at)
{
	return NAME(at[0], at[1], at[2], at[3]);
}

static bool
avi_chunk(struct input *in, int64_t at, uint32_t *ret_name, uint32_t *ret_size)
{
	uint8_t head[CHUNK_HEAD];

	if (at < 0 || at > in->size - CHUNK_HEAD || !input_peek(in, at, head, sizeof head))
		return false;
	*ret_name = avi_u32(head);
	*ret_size = avi_u32(head + 4);
	return true;
}

static bool
avi_holds_chunks(uint32_t name)
{
	return name == NAME('R', 'I', 'F', 'F') || name == NAME('L', 'I', 'S', 'T');
}

/* The chunk behind the one at `at`, or inside it; bytes are padded to an even number. */
static int64_t
avi_next(int64_t at, uint32_t name, uint32_t size)
{
	return avi_holds_chunks(name) ? at + LIST_HEAD : at + CHUNK_HEAD + size + (size & 1);
}

/* Whether the stream's chunks are its clock's units; *ret_movie: where the chunks of data start. */
static bool
avi_counts_chunks(struct input *in, int stream, int64_t *ret_movie)
{
	uint32_t name, size, sample_size = 1;
	uint8_t bytes[4];
	int64_t at = 0;
	int streams = 0;

	for (int i = 0; i < HEADER_CHUNKS_MAX && avi_chunk(in, at, &name, &size); i++) {
		if (name == NAME('s', 't', 'r', 'h') && streams++ == stream &&
		    input_peek(in, at + CHUNK_HEAD + STRH_SAMPLE_SIZE, bytes, sizeof bytes))
			sample_size = avi_u32(bytes);
		if (name == NAME('L', 'I', 'S', 'T') &&
		    input_peek(in, at + CHUNK_HEAD, bytes, sizeof bytes) &&
		    avi_u32(bytes) == NAME('m', 'o', 'v', 'i')) {
			*ret_movie = at + LIST_HEAD;
			return sample_size == 0;
		}
		at = avi_next(at, name, size);
	}
	return false;
}

void
avi_clock_open(struct avi_clock *c, struct input *in, int stream)
{
	int64_t movie = 0;

	*c = (struct avi_clock){ 0 };
	if (stream < 0 || stream > 99 || !avi_counts_chunks(in, stream, &movie))
		return;
	c->in = in;
	c->at = movie;
	c->name = NAME('0' + stream / 10, '0' + stream % 10, 'w', 'b');
}

int64_t
avi_clock_pass(struct avi_clock *c, int64_t position)
{
	uint32_t name, size;

	/* libav's position is that of the packet's bytes, or of its head */
	while (c->in && c->at < position && avi_chunk(c->in, c->at, &name, &size)) {
		c->empty += name == c->name && size == 0;
		c->at = avi_next(c->at, name, size);
	}
	return c->empty;
}
