/* The ID3v2.4 tag in front of an mp3: what its source said of itself, and which software made it
 * (TSSE, as MsgQ's files say). It is three parts: a head, the picture's bytes, and a short tail with
 * what only the sound's end tells: when the last chapter ends, and ReplayGain. Threads: any. */
#ifndef TONEARM_WORKER_TAGS_ID3_H
#define TONEARM_WORKER_TAGS_ID3_H

#include "model/job.h"
#include "model/tags.h"

/* Bytes. */
#define ID3_HEAD_MAX (104 * 1024)
#define ID3_TAIL_MAX 512

/* Its length stays the same; what is not known yet is padding, which ID3 has at a tag's end. */
struct id3_tail {
	size_t len;
	uint8_t bytes[ID3_TAIL_MAX];
	size_t end_at;  /* of the last chapter's end; 0 = there is none */
	size_t gain_at; /* of ReplayGain's frames */
	struct tag_chapter last;
};

/* Writes the tag up to its picture's bytes, which are to follow, and what follows them and ends the
 * tag; returns the head's length. */
size_t id3_write(const struct tags *tags, uint8_t to[ID3_HEAD_MAX], struct id3_tail *ret_tail);
/* Now that the sound's length and loudness are known. ReplayGain 2.0: the gain leads to -18 LUFS,
 * the peak is the true peak as a share of full scale. A value that was not measured, as of silence,
 * has no frame. */
void id3_tail_settle(struct id3_tail *tail, int64_t length_ms, const struct job_loudness *loudness);

#endif
