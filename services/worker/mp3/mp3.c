#include "worker/mp3/mp3.h"

#include <assert.h>
#include <stdlib.h>

#include "worker/mp3/block.h"
#include "worker/mp3/header.h"
#include "worker/mp3/repack.h"
#include "worker/mp3/team.h"

/* Blocks beside those that the threads are at: one that waits for a thread, the one being filled
 * and the start of the next. */
#define TASKS_BESIDE 3
/* What LAME puts in front of the first sample. */
#define LAME_DELAY 576

static_assert(MP3_HEAD_MAX >= MP3_FRAME_MAX, "the header is one frame");

struct mp3 {
	struct mp3_format format; /* set once */
	struct mp3_sink sink;
	struct mp3_team *team;
	int64_t block_samples, overlap_samples;
	int64_t samples; /* taken so far */

	/* A ring of blocks in the order of the track. */
	struct mp3_task *tasks; /* owned */
	size_t ring;
	int64_t spliced, put, filling; /* blocks: handed to splice, to the team, begun */

	struct mp3_frames held; /* the last one spliced: used from frame `from` up to a seam */
	size_t from;
	struct mp3_repack stream;
	uint8_t header[MP3_FRAME_MAX];
	size_t header_len;
};

static struct mp3_task *
mp3_task_of(struct mp3 *mp3, int64_t block)
{
	return &mp3->tasks[(size_t)block % mp3->ring];
}

static int
mp3_write_frames(struct mp3 *mp3, size_t end, struct err *e)
{
	int r = 0;

	for (size_t i = mp3->from; r == 0 && i < end; i++)
		r = mp3_repack_frame(&mp3->stream, &mp3->held.list[i],
				     mp3->held.bytes + mp3->held.list[i].main_at, e);
	return r;
}

static int
mp3_join(struct mp3 *mp3, struct mp3_frames *next, struct err *e)
{
	int seam = mp3_seam(&mp3->format, &mp3->held, next), r;

	if (seam < 0)
		return err_set(e, ERR_CORRUPT, "blocks of %zu and %zu frames do not meet",
			       mp3->held.count, next->count);
	if ((r = mp3_write_frames(mp3, (size_t)seam + MP3_BLOCK_FRAMES, e)) < 0)
		return r;
	mp3_frames_clear(&mp3->held);
	mp3->held = *next;
	mp3->from = (size_t)seam;
	*next = (struct mp3_frames){ 0 };
	return 0;
}

/* Splices the oldest block, which the team may still be at. */
static int
mp3_splice_one(struct mp3 *mp3, struct err *e)
{
	struct mp3_task *task = mp3_task_of(mp3, mp3->spliced);

	mp3_team_wait(mp3->team, task);
	if (task->result < 0)
		return err_set(e, task->result, "%s", task->why.text);
	if (mp3->spliced++ > 0)
		return mp3_join(mp3, &task->frames, e);
	mp3->held = task->frames;
	task->frames = (struct mp3_frames){ 0 };
	return 0;
}

static int
mp3_put_block(struct mp3 *mp3, enum lame_end end, struct err *e)
{
	struct mp3_task *task = mp3_task_of(mp3, mp3->put++);
	int r = 0;

	task->end = end;
	mp3_team_put(mp3->team, task);
	while (r == 0 && mp3->put - mp3->spliced > mp3_team_size(mp3->team))
		r = mp3_splice_one(mp3, e);
	return r;
}

/* Copies what of planes is behind the block's first sample. */
static int
mp3_fill_block(struct mp3 *mp3, int64_t block, float *const planes[2], size_t count, struct err *e)
{
	int64_t start = block * mp3->block_samples - mp3->samples;
	float *rest[2];

	if (start < 0)
		start = 0;
	if (start >= (int64_t)count)
		return 0;
	for (int c = 0; c < mp3->format.channels; c++)
		rest[c] = planes[c] + start;
	return pcm_put(&mp3_task_of(mp3, block)->pcm, mp3->format.channels, rest,
		       count - (size_t)start, e);
}

/* At most up to the end of the block that is being filled. */
static int
mp3_take_samples(struct mp3 *mp3, float *const planes[2], size_t count, struct err *e)
{
	int r;

	if ((r = mp3_fill_block(mp3, mp3->filling, planes, count, e)) < 0 ||
	    (r = mp3_fill_block(mp3, mp3->filling + 1, planes, count, e)) < 0)
		return r;
	mp3->samples += (int64_t)count;
	return 0;
}

static int64_t
mp3_end_of_block(const struct mp3 *mp3)
{
	return (mp3->filling + 1) * mp3->block_samples + mp3->overlap_samples;
}

int
mp3_encode(struct mp3 *mp3, float *const planes[2], size_t count, struct err *e)
{
	float *at[2] = { planes[0], mp3->format.channels == 2 ? planes[1] : planes[0] };
	int r;

	while (count > 0) {
		int64_t left = mp3_end_of_block(mp3) - mp3->samples;
		size_t n = left < (int64_t)count ? (size_t)left : count;

		if ((r = mp3_take_samples(mp3, at, n, e)) < 0)
			return r;
		if (mp3->samples == mp3_end_of_block(mp3)) {
			if ((r = mp3_put_block(mp3, LAME_END_INNER, e)) < 0)
				return r;
			mp3->filling++;
		}
		at[0] += n;
		at[1] += n;
		count -= n;
	}
	return 0;
}

/* The block being filled has heard all there is: what was begun of the next one is not needed. */
int
mp3_finish(struct mp3 *mp3, struct err *e)
{
	struct mp3_bounds bounds = { .delay = LAME_DELAY };
	int r;

	pcm_clear(&mp3_task_of(mp3, mp3->filling + 1)->pcm);
	if ((r = mp3_put_block(mp3, LAME_END_LAST, e)) < 0)
		return r;
	while (mp3->spliced < mp3->put)
		if ((r = mp3_splice_one(mp3, e)) < 0)
			return r;
	if ((r = mp3_write_frames(mp3, mp3->held.count, e)) < 0)
		return r;
	mp3_repack_end(&mp3->stream);
	bounds.padding = (int)(mp3->stream.totals.frames * mp3->stream.m.frame_samples -
			       mp3->samples - bounds.delay);
	mp3_header_fill(mp3->header, mp3->header_len, mp3->stream.m.side_bytes, &mp3->stream.totals,
			&bounds);
	mp3->sink.patch_head(mp3->sink.arg, mp3->header, mp3->header_len);
	return 0;
}

int
mp3_open(const struct mp3_format *format, int threads, const struct mp3_sink *sink,
	 struct mp3 **ret, struct err *e)
{
	SCOPED(mp3_close_p) struct mp3 *mp3 = calloc(1, sizeof *mp3);
	int64_t frame = mp3_measure(format).frame_samples;
	uint8_t blank[MP3_FRAME_MAX] = { 0 };
	int r;

	if (!mp3)
		return err_set(e, ERR_NO_MEMORY, "mp3");
	mp3->format = *format;
	mp3->sink = *sink;
	mp3->block_samples = MP3_BLOCK_FRAMES * frame;
	mp3->overlap_samples = mp3_overlap(format) * frame;
	if ((r = mp3_repack_begin(&mp3->stream, format, sink->write, sink->arg, e)) < 0 ||
	    (r = mp3_lame_header(format, mp3->header, &mp3->header_len, e)) < 0 ||
	    (r = mp3_team_new(format, threads, &mp3->team, e)) < 0)
		return r;
	mp3->ring = (size_t)mp3_team_size(mp3->team) + TASKS_BESIDE;
	if (!(mp3->tasks = calloc(mp3->ring, sizeof *mp3->tasks)))
		return err_set(e, ERR_NO_MEMORY, "mp3 blocks");
	sink->write(sink->arg, blank, mp3->header_len);
	*ret = TAKE(mp3);
	return 0;
}

void
mp3_close(struct mp3 *mp3)
{
	if (!mp3)
		return;
	mp3_team_free(mp3->team);
	for (size_t i = 0; mp3->tasks && i < mp3->ring; i++) {
		pcm_clear(&mp3->tasks[i].pcm);
		mp3_frames_clear(&mp3->tasks[i].frames);
	}
	free(mp3->tasks);
	mp3_frames_clear(&mp3->held);
	free(mp3);
}
