/* The encoder without media: copies its input to its output, and can be told to fail, to wait, or
 * to be slow. Threads: may be shared. */
#ifndef TONEARM_FAKE_ENCODER_FAKE_H
#define TONEARM_FAKE_ENCODER_FAKE_H

#include <stdbool.h>

#include "port/encoder.h"

int encoder_fake_new(struct encoder **ret, struct err *e);
/* Every encode from now on ends with this code and these words for the user (why may be NULL: as
 * when a server was lost); 0 ends it. */
void encoder_fake_fail(struct encoder *c, int code, const struct job_error *why);
/* Every encode from now on works until its watch ends it, or until this is switched off. */
void encoder_fake_hold(struct encoder *c, bool hold);
/* Encodes that are under way and held / that were begun so far. */
int encoder_fake_held(struct encoder *c);
int encoder_fake_begun(struct encoder *c);
/* What the last one was asked for. */
struct media_spec encoder_fake_spec(struct encoder *c);

#endif
