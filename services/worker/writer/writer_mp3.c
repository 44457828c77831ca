/* mp3: an ID3 tag, then what mp3/ makes of the samples. */
#include <assert.h>
#include <stdlib.h>

#include "worker/mp3/mp3.h"
#include "worker/writer/formats.h"
#include "worker/writer/mp3_parts.h"

struct mp3_writer {
	struct writer port;
	struct media_spec spec; /* set once */
	struct output *out;     /* borrowed */
	struct mp3 *mp3;
	struct id3_tail tail; /* what is held: it, and behind it the header frame */
};

static_assert(ID3_TAIL_MAX + MP3_HEAD_MAX <= WORKER_HOLD_MAX, "one piece holds both");

static struct mp3_writer *
mp3_writer_of(struct writer *port)
{
	return CONTAINER_OF(port, struct mp3_writer, port);
}

static enum worker_failure
mp3_writer_failure(int result)
{
	if (result == 0)
		return WORKER_FAILURE_NONE;
	return result == ERR_NO_MEMORY ? WORKER_OUT_OF_MEMORY : WORKER_BROKEN;
}

static void
mp3_writer_sink(void *arg, const void *data, size_t len)
{
	const struct mp3_writer *w = arg;

	output_write(w->out, data, len);
}

static void
mp3_writer_patch_head(void *arg, const void *data, size_t len)
{
	const struct mp3_writer *w = arg;

	output_patch(w->out, w->tail.len, data, len);
}

static enum worker_failure
mp3_writer_put(struct writer *port, float *const planes[MEDIA_CHANNELS_MAX], size_t count,
	       struct err *e)
{
	return mp3_writer_failure(mp3_encode(mp3_writer_of(port)->mp3, planes, count, e));
}

static enum worker_failure
mp3_writer_finish(struct writer *port, const struct writer_total *total, struct err *e)
{
	struct mp3_writer *w = mp3_writer_of(port);
	enum worker_failure f = mp3_writer_failure(mp3_finish(w->mp3, e));

	if (f)
		return f;
	mp3_tail_settle(&w->tail, &w->spec, total);
	output_patch(w->out, 0, w->tail.bytes, w->tail.len);
	return WORKER_FAILURE_NONE;
}

static void
mp3_writer_close(struct writer *port)
{
	struct mp3_writer *w = mp3_writer_of(port);

	mp3_close(w->mp3);
	free(w);
}

static enum worker_failure
mp3_writer_open(const struct writer_order *order, struct writer **ret, struct err *e)
{
	static const struct writer_ops ops = { mp3_writer_put, mp3_writer_finish,
					       mp3_writer_close };
	SCOPED_FREE struct mp3_writer *w = calloc(1, sizeof *w);
	struct mp3_format format = mp3_format_of(order->spec);
	struct mp3_sink sink = { mp3_writer_sink, mp3_writer_patch_head, w };
	enum worker_failure f;

	if (!w)
		return failure_set(e, WORKER_OUT_OF_MEMORY, "writer: no memory");
	w->port.ops = &ops;
	w->spec = *order->spec;
	w->out = order->out;
	if ((f = mp3_tag_write(order, &w->tail, e)))
		return f;
	output_hold(order->out, w->tail.len + MP3_HEAD_MAX);
	output_write(order->out, w->tail.bytes, w->tail.len);
	if ((f = mp3_writer_failure(mp3_open(&format, order->threads, &sink, &w->mp3, e))))
		return f;
	*ret = &TAKE(w)->port;
	return WORKER_FAILURE_NONE;
}

const struct writer_format writer_mp3 = { mp3_writer_open, &copier_mp3 };
