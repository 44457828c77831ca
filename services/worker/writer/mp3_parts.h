/* What an mp3 that is encoded and one that is copied have in common. Threads: one. */
#ifndef TONEARM_WORKER_WRITER_MP3_PARTS_H
#define TONEARM_WORKER_WRITER_MP3_PARTS_H

#include "worker/mp3/format.h"
#include "worker/writer/writer.h"

struct mp3_format mp3_format_of(const struct media_spec *spec);
/* The ID3 tag in front of the stream. */
void mp3_tag_write(const struct writer_order *order);

#endif
