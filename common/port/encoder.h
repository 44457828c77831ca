/* Encoder: media in, audio out, in the format that is asked for. Production runs it in a separate
 * sandboxed program.
 *
 * Ownership  reader, writer and watch stay the caller's.
 * Threads    the encoder may be shared; each call works alone.
 * Time       at most the configured job deadline.
 *
 * Errors     INVALID, TOO_LARGE, CORRUPT: the input cannot be converted, ever; ret_why holds a code
 *            and words for the user. UNAVAILABLE, TIMEOUT, NO_MEMORY, INTERNAL: the attempt failed
 *            (ret_why is set too; of UNAVAILABLE it says that the worker was told to stop). A
 *            failure of the reader or writer is returned as it is, with ret_why empty. */
#ifndef TONEARM_PORT_ENCODER_H
#define TONEARM_PORT_ENCODER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/stop.h"
#include "model/media_spec.h"
#include "model/track.h"
#include "model/warning.h"
#include "port/blob_store.h"

struct encode_report {
	double duration_s; /* of the audio written */
	int64_t samples;
	int64_t bytes_written;
	int64_t bytes_read; /* that the store had to hand out for it */
	bool copied;        /* the source's sound as it was: nothing was encoded */
	struct job_loudness loudness;
	struct warnings warnings;
	struct tracks tracks; /* of the source */
};

/* Neither is ever less than it was before. */
struct encode_progress {
	double fraction; /* 0 to 1; -1 = nothing is known yet */
	double made_s;   /* of the audio */
};
struct encode_watch {
	/* Called a few times a second; a negative result ends the work and is returned by
	 * encoder_encode. */
	int (*progress)(void *arg, const struct encode_progress *, struct err *e);
	void *arg;
};

/* What is to be made of what; all borrowed. */
struct encode_order {
	struct blob_reader *in;
	struct blob_writer *out;          /* fresh; it is neither committed nor closed here */
	const struct media_spec *spec;    /* settled */
	const struct encode_watch *watch; /* NULL: nobody watches */
};

struct encoder;
struct encoder_ops {
	int (*encode)(struct encoder *, const struct encode_order *, struct encode_report *,
		      struct job_error *ret_why, struct err *);
	void (*close)(struct encoder *);
};
struct encoder {
	const struct encoder_ops *ops;
};

static inline int
encoder_encode(struct encoder *c, const struct encode_order *order, struct encode_report *ret,
	       struct job_error *ret_why, struct err *e)
{
	assert(media_spec_is_settled(order->spec));
	return c->ops->encode(c, order, ret, ret_why, e);
}
static inline void
encoder_close(struct encoder *c)
{
	if (c)
		c->ops->close(c);
}

SCOPE_DEFINE(struct encoder, encoder_close)

#endif
