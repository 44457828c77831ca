/* What an mp3 that is encoded and one that is copied have in common. Threads: one. */
#ifndef TONEARM_WORKER_WRITER_MP3_PARTS_H
#define TONEARM_WORKER_WRITER_MP3_PARTS_H

#include "worker/mp3/format.h"
#include "worker/tags/id3.h"
#include "worker/writer/writer.h"

struct mp3_format mp3_format_of(const struct media_spec *spec);
/* The ID3 tag in front of the stream but for its tail, which is to follow. What of the tags it has no
 * place for is said in the order's warnings. */
enum worker_failure mp3_tag_write(const struct writer_order *order, struct id3_tail *ret_tail,
				  struct err *e);
void mp3_tail_settle(struct id3_tail *tail, const struct media_spec *spec,
		     const struct writer_total *total);

#endif
