#include "worker/input.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "worker/channel.h"

/* A demuxer that skips what nobody wants must not have read it already. */
#define BUFFER_BYTES (32 * 1024)

/* Demuxers look at the file's end (tags, an index, the last page) before they read on at its start,
 * and come to that end once more: both stay. In between an index may be many parts long. */
static bool
input_part_stays(const struct input *in, int64_t first)
{
	return first == 0 || first >= in->size - INPUT_PART_BYTES;
}

static bool
input_part_holds(const struct input_part *part, int64_t offset)
{
	return part->data && offset >= part->first && offset < part->first + (int64_t)part->len;
}

/* The part to give up: one never used, else the one not used for longest. */
static struct input_part *
input_choose_part(struct input *in)
{
	struct input_part *oldest = NULL;

	for (size_t i = 0; i < in->part_count; i++) {
		struct input_part *part = &in->parts[i];

		if (!part->data)
			return part;
		if (!input_part_stays(in, part->first) && (!oldest || part->used < oldest->used))
			oldest = part;
	}
	return oldest;
}

/* The part that holds the byte at offset; NULL when there is no memory or nothing more to read. */
static const struct input_part *
input_fetch(struct input *in, int64_t offset)
{
	struct input_part *part;

	for (size_t i = 0; i < in->part_count; i++)
		if (input_part_holds(&in->parts[i], offset)) {
			in->parts[i].used = ++in->uses;
			return &in->parts[i];
		}
	part = input_choose_part(in);
	if (!part || (!part->data && !(part->data = malloc(INPUT_PART_BYTES))))
		return NULL;
	part->first = offset - offset % INPUT_PART_BYTES;
	part->used = ++in->uses;
	part->len = channel_read(in->fd, in->start + part->first, part->data, INPUT_PART_BYTES);
	return input_part_holds(part, offset) ? part : NULL;
}

bool
input_peek(struct input *in, int64_t offset, void *to, size_t len)
{
	uint8_t *bytes = to;

	while (len > 0) {
		bool inside = offset >= 0 && offset < in->size;
		const struct input_part *part = inside ? input_fetch(in, offset) : NULL;
		size_t at, count;

		if (!part) {
			in->peek_failed = true;
			return false;
		}
		at = (size_t)(offset - part->first);
		count = part->len - at < len ? part->len - at : len;
		memcpy(bytes, part->data + at, count);
		bytes += count;
		offset += (int64_t)count;
		len -= count;
	}
	return true;
}

static void
input_apply_patches(const struct input *in, int64_t first, uint8_t *bytes, int64_t len)
{
	for (size_t i = 0; i < INPUT_PATCHES; i++) {
		const struct input_patch *patch = &in->patches[i];
		int64_t at = patch->at - first;

		for (int64_t n = 0; patch->at > 0 && n < (int64_t)sizeof patch->bytes; n++)
			if (at + n >= 0 && at + n < len)
				bytes[at + n] = patch->bytes[n];
	}
}

static int
input_read(void *arg, uint8_t *to, int size)
{
	struct input *in = arg;
	const struct input_part *part;
	size_t at, left;

	if (in->position >= in->size || size <= 0)
		return AVERROR_EOF;
	if (input_interrupted(in))
		return AVERROR_EXIT;
	if (!(part = input_fetch(in, in->position)))
		return AVERROR(ENOMEM);
	at = (size_t)(in->position - part->first);
	left = part->len - at;
	/* Never into the next part: it may be one that is not needed. */
	if ((size_t)size > left)
		size = (int)left;
	memcpy(to, part->data + at, (size_t)size);
	input_apply_patches(in, in->position, to, size);
	in->position += size;
	return size;
}

static int64_t
input_seek(void *arg, int64_t offset, int whence)
{
	struct input *in = arg;

	if (whence & AVSEEK_SIZE)
		return in->size;
	if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0)
		return AVERROR(EINVAL);
	/* as in a file: nothing is to be read there */
	in->end_passed = in->end_passed || offset > in->size;
	in->position = offset;
	return offset;
}

void
input_keep(struct input *in)
{
	if (in->size <= INPUT_PARTS_MAX * INPUT_PART_BYTES)
		in->part_count = INPUT_PARTS_MAX;
}

void
input_rewind(struct input *in)
{
	/* what is buffered may be patched otherwise than what comes */
	in->avio->buf_ptr = in->avio->buf_end = in->avio->buffer;
	in->avio->pos = 0;
	in->avio->eof_reached = 0;
	in->avio->error = 0;
	in->position = 0;
	in->end_passed = false;
}

void
input_skip(struct input *in, int64_t bytes)
{
	in->start += bytes;
	in->size -= bytes;
	for (size_t i = 0; i < in->part_count; i++)
		in->parts[i].len = 0;
	input_rewind(in);
}

void
input_hurry(struct input *in, int cpu_seconds)
{
	in->cpu_limit = cpu_seconds > 0 ? clock() + (clock_t)cpu_seconds * CLOCKS_PER_SEC : 0;
}

int
input_interrupted(void *arg)
{
	const struct input *in = arg;

	return in->cpu_limit > 0 && clock() > in->cpu_limit;
}

enum worker_failure
input_open(int fd, int64_t size, struct input **ret, struct err *e)
{
	SCOPED(input_close_p) struct input *in = calloc(1, sizeof *in);
	uint8_t *buffer = av_malloc(BUFFER_BYTES);

	if (in && buffer)
		in->avio = avio_alloc_context(buffer, BUFFER_BYTES, 0, in, input_read, NULL,
					      input_seek);
	if (!in || !buffer || !in->avio) {
		av_free(buffer);
		return failure_set(e, WORKER_OUT_OF_MEMORY, "input: no memory");
	}
	in->fd = fd;
	in->size = size;
	in->part_count = INPUT_PARTS;
	*ret = TAKE(in);
	return WORKER_FAILURE_NONE;
}

void
input_close(struct input *in)
{
	if (!in)
		return;
	if (in->avio)
		av_freep(&in->avio->buffer);
	avio_context_free(&in->avio);
	for (size_t i = 0; i < INPUT_PARTS_MAX; i++)
		free(in->parts[i].data);
	free(in);
}
