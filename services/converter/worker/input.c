#include "converter/worker/input.h"

#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "converter/worker/channel.h"

/* A GridFS chunk: a smaller buffer would ask for most chunks twice. */
#define INPUT_BUFFER_BYTES (255 * 1024)

static int
input_read(void *arg, uint8_t *to, int size)
{
	struct input *in = arg;
	size_t got;

	if (in->position >= in->size || size <= 0)
		return AVERROR_EOF;
	got = channel_read(in->fd, in->position, to, (size_t)size);
	in->position += (int64_t)got;
	return got > 0 ? (int)got : AVERROR_EOF;
}

static int64_t
input_seek(void *arg, int64_t offset, int whence)
{
	struct input *in = arg;

	if (whence & AVSEEK_SIZE)
		return in->size;
	if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0)
		return AVERROR(EINVAL);
	if (offset > in->size) {
		in->end_passed = true;
		return AVERROR_EOF;
	}
	in->position = offset;
	return offset;
}

enum worker_failure
input_open(int fd, int64_t size, struct input **ret, struct err *e)
{
	SCOPED(input_close_p) struct input *in = calloc(1, sizeof *in);
	uint8_t *buffer = av_malloc(INPUT_BUFFER_BYTES);

	if (in && buffer)
		in->avio = avio_alloc_context(buffer, INPUT_BUFFER_BYTES, 0, in, input_read, NULL,
					      input_seek);
	if (!in || !buffer || !in->avio) {
		av_free(buffer);
		return failure_set(e, WORKER_OUT_OF_MEMORY, "input: no memory");
	}
	in->fd = fd;
	in->size = size;
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
	free(in);
}
