/* The source's own parts: source.c opens, packets.c reads, sound.c decodes and places, verdict.c says
 * what the file was worth. Threads: one. */
#ifndef TONEARM_WORKER_SOURCE_PRIVATE_H
#define TONEARM_WORKER_SOURCE_PRIVATE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "worker/source/avi_clock.h"
#include "worker/source/follow.h"
#include "worker/source/mp4/edits.h"
#include "worker/source/mp4/tail.h"
#include "worker/source/end/caf_padding.h"
#include "worker/source/end/ogg_end.h"
#include "worker/source/prescan.h"
#include "worker/source/source.h"
#include "worker/source/timeline.h"

struct source {
	struct source_options options;
	AVFormatContext *format;
	AVCodecContext *decoder;
	AVPacket *packet, *rest; /* rest: frames that stood in one packet with the last one */
	AVFrame *frame, *next;   /* next: decoded ahead of its turn, where ahead is set */
	bool ahead, have_frame;
	struct input *in;
	AVStream *stream; /* borrowed from format */
	struct mp4_tail tail;
	struct mp4_edits edits;
	struct avi_clock avi;
	struct ogg_end ogg; /* at -1: not an Ogg file */
	struct caf_padding caf;
	int64_t ogg_shift; /* of the last page's packets; -1 = not known yet */
	struct prescan scan;
	struct follow follow;
	struct timeline timeline;
	unsigned passed_pictures; /* that libav does not know */
	bool placed;              /* the timeline knows its rules */
	int64_t frame_at;         /* flicks, or TIMELINE_UNKNOWN */
	struct warnings warnings;
	bool mended;     /* something was added, or left out */
	int read_result; /* why reading ended: AVERROR_EOF or an error */
	bool ended, cut_packet;
	bool short_packet; /* the last one: its own header says that it is longer */
	int64_t packets, damaged, frames;
	int64_t odd; /* frames of a rate or with channels that no sound has */
	int64_t first_packet,
		lag;         /* flicks: where it starts; how much later its sound is said to */
	int64_t step;        /* flicks: from the first packet to the second; < 0 = not known */
	int64_t packets_end; /* flicks: where the last packet ends by its own account */
	uint32_t lost;       /* packets since the last frame that could not be decoded */
	int64_t barren;      /* packets since the last frame */
	int64_t tag_left;    /* bytes of an ID3 tag that are still to come */
	source_tap_fn tap;   /* NULL = none */
	void *tap_arg;
};

/* Packets in a row, empty or damaged, without a sample: hours of any codec. */
#define BARREN_MAX 1000000

/* The track is now the one whose packets were held. */
enum worker_failure source_change_track(struct source *s, struct err *e);
/* Gives the decoder the track's next packet, or tells it that there is none. */
enum worker_failure source_feed(struct source *s, struct err *e);
/* One more packet that could not be decoded. */
void source_note_damage(struct source *s);
/* A time of the track, in flicks; TIMELINE_UNKNOWN where it has none, or one that cannot be. */
int64_t source_flicks(const struct source *s, int64_t time);

#endif
