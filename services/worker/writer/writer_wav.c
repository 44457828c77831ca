/* WAV: 16-bit PCM behind a head whose lengths are patched at the end. A source of 16 bits at the
 * same rate comes out bit for bit; tags are left out, as no player agrees on their place. */
#include <math.h>
#include <stdlib.h>

#include "worker/writer/formats.h"
#include "worker/writer/wav_head.h"

#define PIECE 4096 /* samples per channel */

struct wav_writer {
	struct writer port;
	struct media_spec spec; /* set once */
	struct output *out;     /* borrowed */
	int64_t samples;        /* per channel, so far */
	uint8_t bytes[PIECE * MEDIA_CHANNELS_MAX * WAV_SAMPLE_BYTES];
};

static struct wav_writer *
wav_writer_of(struct writer *port)
{
	return CONTAINER_OF(port, struct wav_writer, port);
}

/* To the nearest step; the steps of 16 bits have no +1.0. */
static int
wav_sample(float value)
{
	long step = lrintf(value * 32768.0f);

	if (step > INT16_MAX)
		return INT16_MAX;
	return step < INT16_MIN ? INT16_MIN : (int)step;
}

static void
wav_put_piece(struct wav_writer *w, float *const planes[MEDIA_CHANNELS_MAX], size_t from,
	      size_t count)
{
	uint8_t *at = w->bytes;

	for (size_t i = from; i < from + count; i++)
		for (int c = 0; c < w->spec.channels; c++) {
			unsigned step = (unsigned)wav_sample(planes[c][i]);

			*at++ = (uint8_t)step;
			*at++ = (uint8_t)(step >> 8);
		}
	output_write(w->out, w->bytes, (size_t)(at - w->bytes));
}

static enum worker_failure
wav_writer_put(struct writer *port, float *const planes[MEDIA_CHANNELS_MAX], size_t count,
	       struct err *e)
{
	struct wav_writer *w = wav_writer_of(port);

	(void)e;
	for (size_t at = 0; at < count; at += PIECE)
		wav_put_piece(w, planes, at, count - at < PIECE ? count - at : PIECE);
	w->samples += (int64_t)count;
	return WORKER_FAILURE_NONE;
}

static enum worker_failure
wav_writer_finish(struct writer *port, const struct writer_total *total, struct err *e)
{
	struct wav_writer *w = wav_writer_of(port);
	uint8_t head[WAV_HEAD_BYTES];

	(void)total;
	(void)e;
	wav_head_write(&w->spec, w->samples, head);
	output_patch(w->out, 0, head, sizeof head);
	return WORKER_FAILURE_NONE;
}

static void
wav_writer_close(struct writer *port)
{
	free(wav_writer_of(port));
}

static enum worker_failure
wav_writer_open(const struct writer_order *order, struct writer **ret, struct err *e)
{
	static const struct writer_ops ops = { wav_writer_put, wav_writer_finish,
					       wav_writer_close };
	struct wav_writer *w = calloc(1, sizeof *w);
	uint8_t head[WAV_HEAD_BYTES];

	if (!w)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "writer: no memory");
	w->port.ops = &ops;
	w->spec = *order->spec;
	w->out = order->out;
	wav_head_write(&w->spec, 0, head);
	output_hold(w->out, sizeof head);
	output_write(w->out, head, sizeof head);
	*ret = &w->port;
	return WORKER_FAILURE_NONE;
}

const struct writer_format writer_wav = { wav_writer_open, NULL };
