/* Copier: a sound track that is already, packet by packet, what was asked for is not encoded anew.
 *
 * That holds for the whole track or not at all, and what is written cannot be taken back: so a first
 * reading decodes and looks at every packet (copier_look), and a second one, of the source freshly
 * opened, copies (copier_write). What is wrong with a track that was to be copied is the encoder's
 * to say: a copier only refuses.
 *
 * Ownership  a copier belongs to its opener until copier_close.
 * Threads    one. */
#ifndef TONEARM_WORKER_WRITER_COPIER_H
#define TONEARM_WORKER_WRITER_COPIER_H

#include "worker/source/source.h"
#include "worker/writer/writer.h"

struct copier;
struct copier_ops {
	/* Whether the track's codec, rate and channels are worth the first reading. */
	bool (*may_do)(const struct source *, const struct media_spec *);
	/* Begins the first reading: looks at what source decodes from now on, and ends it at the
	 * first packet that is not as it must be. NULL: not possible. source outlives the reading. */
	struct copier *(*look)(struct source *, const struct media_spec *);
	/* After the end: whether a copy plays as the source did. decoded: samples that it gave;
	 * kept: of those, the ones in front of its declared end. */
	bool (*decide)(struct copier *, const struct source *, int64_t decoded, int64_t kept);
	/* The second reading: the whole result. total: what the first one came to. */
	enum worker_failure (*write)(struct copier *, struct source *, const struct writer_order *,
				     const struct writer_total *total, struct err *);
	void (*close)(struct copier *);
};
struct copier {
	const struct copier_ops *ops;
};

static inline bool
copier_decide(struct copier *c, const struct source *source, int64_t decoded, int64_t kept)
{
	return c->ops->decide(c, source, decoded, kept);
}
static inline enum worker_failure
copier_write(struct copier *c, struct source *source, const struct writer_order *order,
	     const struct writer_total *total, struct err *e)
{
	return c->ops->write(c, source, order, total, e);
}
static inline void
copier_close(struct copier *c)
{
	if (c)
		c->ops->close(c);
}
SCOPE_DEFINE(struct copier, copier_close)

#endif
