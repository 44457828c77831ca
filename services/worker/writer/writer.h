/* Writer: samples in, a file of one format out; the last stage of a conversion.
 *
 * Life       writer_open, writer_put as often as there are samples, writer_finish once, at last
 *            writer_close in any case. Without a finish what was written is of no use.
 * Ownership  a writer belongs to its opener until writer_close; an order's out is borrowed until
 *            then, its spec, tags and warnings only while writer_open runs.
 * Output     goes to order->out from its first byte to its last. Bytes that are known at the end
 *            alone (a header's length, a seek table) are held when they are written and patched by
 *            writer_finish: WORKER_HOLD_MAX bytes in one piece, which begins at WORKER_TAG_MAX or
 *            before. No result has more than media_spec_bytes_max bytes.
 * Result     the same bytes for the same samples, whatever the number of threads and however the
 *            samples are cut into pieces.
 * Threads    all calls by one; a writer may have others of its own, order->threads at most.
 * Memory     does not grow with the length of the sound.
 * Errors     as failure.h has them; after one a writer is only good for close.
 *
 * A new format is a row in model/media_spec.c, a writer_*.c here and a row in writer.c. */
#ifndef TONEARM_WORKER_WRITER_WRITER_H
#define TONEARM_WORKER_WRITER_WRITER_H

#include "base/scope.h"
#include "model/job.h"
#include "model/media_spec.h"
#include "model/tags.h"
#include "model/warning.h"
#include "worker/failure.h"
#include "worker/output.h"

struct writer_order {
	const struct media_spec *spec; /* settled */
	const struct tags *tags;       /* what of it the format has a place for is written */
	struct output *out;            /* nothing was written to it yet */
	int threads;                   /* 1 or more */
	struct warnings *warnings;     /* what of the tags had to be left out is added */
};
/* What is known of a sound when all of it was read. */
struct writer_total {
	int64_t samples; /* per channel, of the result */
	struct job_loudness loudness;
};

struct writer;
struct writer_ops {
	enum worker_failure (*put)(struct writer *, float *const planes[MEDIA_CHANNELS_MAX],
				   size_t count, struct err *);
	enum worker_failure (*finish)(struct writer *, const struct writer_total *, struct err *);
	void (*close)(struct writer *);
};
struct writer {
	const struct writer_ops *ops;
};

struct copier_ops;
/* One format's ways to be written. */
struct writer_format {
	enum worker_failure (*open)(const struct writer_order *, struct writer **ret, struct err *);
	/* NULL: what is of this format already is encoded anew. */
	const struct copier_ops *copier;
};
/* NULL: this build writes no such format. */
const struct writer_format *writer_format_of(enum media_format format);

/* Takes count samples per channel at the spec's rate; full scale is 1.0. They are numbers, and at
 * most 16 times that (sound/resample). Planes beyond the spec's channels are ignored. */
static inline enum worker_failure
writer_put(struct writer *w, float *const planes[MEDIA_CHANNELS_MAX], size_t count, struct err *e)
{
	return w->ops->put(w, planes, count, e);
}
/* Writes the rest and patches what is held. total: of what was put. */
static inline enum worker_failure
writer_finish(struct writer *w, const struct writer_total *total, struct err *e)
{
	return w->ops->finish(w, total, e);
}
static inline void
writer_close(struct writer *w)
{
	if (w)
		w->ops->close(w);
}
SCOPE_DEFINE(struct writer, writer_close)

#endif
