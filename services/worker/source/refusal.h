/* What is said of a file that cannot be read, or whose sound cannot be decoded. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_REFUSAL_H
#define TONEARM_WORKER_SOURCE_REFUSAL_H

#include "worker/failure.h"
#include "worker/input.h"

struct AVFormatContext; /* of libav */
struct AVStream;

/* Of a file that libav could not open, with av as its result: a format that is not on the list, a
 * part of a file that is, or no media at all. Never WORKER_FAILURE_NONE. */
enum worker_failure refusal_of_file(struct input *in, int av, struct err *e);
/* Whether no prober is sure of what the file is. */
bool refusal_is_doubtful(struct input *in);
/* Of a track without a decoder of the list: its codec by name. Never WORKER_FAILURE_NONE. */
enum worker_failure refusal_of_codec(const struct AVStream *stream, struct err *e);
/* WORKER_PROTECTED where the track is encrypted, else WORKER_FAILURE_NONE. */
enum worker_failure refusal_of_protected(struct input *in, const struct AVFormatContext *format,
					 const struct AVStream *stream, struct err *e);
/* Of a file in which libav finds no sound track that it can decode. */
enum worker_failure refusal_of_tracks(struct input *in, const struct AVFormatContext *format,
				      int av, struct err *e);

#endif
