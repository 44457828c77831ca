/* The formats that writer.c lists. */
#ifndef TONEARM_WORKER_WRITER_FORMATS_H
#define TONEARM_WORKER_WRITER_FORMATS_H

#include "worker/writer/copier.h"

extern const struct writer_format writer_mp3, writer_wav;
extern const struct copier_ops copier_mp3;

#endif
