/* A transport stream's sound that goes on under another number (PID) of the same program, as a
 * recording does across a change of programme. Packets of another sound track are held until it is
 * known what they are: a second track beside ours, or what comes behind it.
 * Bounded: FOLLOW_PACKETS_MAX packets. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_FOLLOW_H
#define TONEARM_WORKER_SOURCE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLLOW_PACKETS_MAX 128

struct AVFormatContext; /* of libav */
struct AVPacket;
struct AVStream;

struct follow {
	bool wanted;
	struct AVStream *other; /* whose packets are held; NULL = none */
	struct AVPacket *held[FOLLOW_PACKETS_MAX];
	size_t count, given;
	int64_t first; /* the first one's time, in the unit of its stream */
	bool changed;  /* the track is to be the other one */
	bool followed; /* it is: what is held is given out */
};

/* Whether there is anything to follow, and which tracks are read for it. */
void follow_open(struct follow *f, struct AVFormatContext *format, const struct AVStream *ours);
/* A packet of ours has come: another track that was there before is one beside it. */
void follow_note_ours(struct follow *f, const struct AVPacket *packet);
/* A packet of another stream: takes what is in it, or leaves it. */
void follow_note_other(struct follow *f, struct AVFormatContext *format,
		       const struct AVStream *ours, struct AVPacket *packet);
/* At the file's end: whether what is held is what comes behind ours. */
bool follow_at_end(struct follow *f);
/* The track is the other one from now on. */
void follow_change(struct follow *f);
/* The next held packet of the track that was changed to; false when there is none. */
bool follow_next(struct follow *f, struct AVPacket *ret);
void follow_close(struct follow *f);

#endif
