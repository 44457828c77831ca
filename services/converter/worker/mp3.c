#include "converter/worker/mp3.h"

#include <stdlib.h>
#include <string.h>

#include <lame/lame.h>

#include "converter/worker/channel.h"
#include "converter/worker/id3.h"

/* LAME's own default for CBR, as ffmpeg (and so MsgQ) leaves it. */
#define LAME_QUALITY 3
/* lame.h: worst case 1.25 * samples + 7200 bytes for one call. */
#define FRAMES_MAX (MP3_SAMPLES_MAX + MP3_SAMPLES_MAX / 4 + 7200)
#define OUT_MAX (64 * 1024)
#define FULL_SCALE 32768.0f

struct mp3 {
	lame_t lame;
	int fd, channels;
	size_t tag_bytes; /* of the ID3 tag: where the first frame starts */
	size_t out_len;
	uint8_t out[OUT_MAX];
};

static void
flush_out(struct mp3 *mp3)
{
	if (mp3->out_len > 0)
		channel_write(mp3->fd, mp3->out, mp3->out_len);
	mp3->out_len = 0;
}

static enum worker_failure
take_result(struct mp3 *mp3, int result, struct err *e)
{
	if (result < 0)
		return failure_set(e, result == -2 ? WORKER_OUT_OF_MEMORY : WORKER_BROKEN,
				   "lame answered %d", result);
	mp3->out_len += (size_t)result;
	return WORKER_FAILURE_NONE;
}

static void
quiet(const char *format, va_list args)
{
	(void)format;
	(void)args;
}

static int
set_up_lame(lame_t lame, const struct worker_start *spec)
{
	lame_set_errorf(lame, quiet);
	lame_set_msgf(lame, quiet);
	lame_set_debugf(lame, quiet);
	if (lame_set_in_samplerate(lame, (int)spec->sample_rate) < 0 ||
	    lame_set_out_samplerate(lame, (int)spec->sample_rate) < 0 ||
	    lame_set_num_channels(lame, (int)spec->channels) < 0 ||
	    lame_set_mode(lame, spec->channels == 1 ? MONO : JOINT_STEREO) < 0 ||
	    lame_set_VBR(lame, vbr_off) < 0 ||
	    lame_set_brate(lame, (int)(spec->bit_rate / 1000)) < 0 ||
	    lame_set_quality(lame, LAME_QUALITY) < 0 || lame_set_bWriteVbrTag(lame, 1) < 0)
		return -1;
	return lame_init_params(lame);
}

enum worker_failure
mp3_open(int fd, const struct worker_start *spec, struct mp3 **ret, struct err *e)
{
	SCOPED(mp3_close_p) struct mp3 *mp3 = calloc(1, sizeof *mp3);

	if (!mp3 || !(mp3->lame = lame_init()))
		return failure_set(e, WORKER_OUT_OF_MEMORY, "encoder: no memory");
	if (set_up_lame(mp3->lame, spec) < 0)
		return failure_set(e, WORKER_BROKEN, "lame refuses %u Hz, %u channels, %u bit/s",
				   spec->sample_rate, spec->channels, spec->bit_rate);
	mp3->fd = fd;
	mp3->channels = (int)spec->channels;
	mp3->tag_bytes = id3_write(mp3->out, sizeof mp3->out);
	mp3->out_len = mp3->tag_bytes;
	*ret = TAKE(mp3);
	return WORKER_FAILURE_NONE;
}

enum worker_failure
mp3_encode(struct mp3 *mp3, float *const planes[2], size_t count, struct err *e)
{
	float *right = mp3->channels == 2 ? planes[1] : planes[0];

	if (count > MP3_SAMPLES_MAX)
		return failure_set(e, WORKER_BROKEN, "%zu samples at once", count);
	/* lame_encode_buffer_ieee_float would scale by 32767; ffmpeg's files are made this way. */
	for (int c = 0; c < mp3->channels; c++)
		for (size_t i = 0; i < count; i++)
			planes[c][i] *= FULL_SCALE;
	if (sizeof mp3->out - mp3->out_len < FRAMES_MAX)
		flush_out(mp3);
	return take_result(mp3,
			   lame_encode_buffer_float(mp3->lame, planes[0], right, (int)count,
						    mp3->out + mp3->out_len,
						    (int)(sizeof mp3->out - mp3->out_len)),
			   e);
}

enum worker_failure
mp3_finish(struct mp3 *mp3, struct err *e)
{
	enum worker_failure f;
	size_t header;

	flush_out(mp3);
	f = take_result(mp3, lame_encode_flush(mp3->lame, mp3->out, sizeof mp3->out), e);
	if (f)
		return f;
	flush_out(mp3);
	header = lame_get_lametag_frame(mp3->lame, mp3->out, sizeof mp3->out);
	if (header == 0 || header > sizeof mp3->out)
		return failure_set(e, WORKER_BROKEN, "lame has no header of its own");
	channel_patch(mp3->fd, (int64_t)mp3->tag_bytes, mp3->out, header);
	return WORKER_FAILURE_NONE;
}

void
mp3_close(struct mp3 *mp3)
{
	if (!mp3)
		return;
	if (mp3->lame)
		(void)lame_close(mp3->lame);
	free(mp3);
}
