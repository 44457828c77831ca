#include "worker/mp3/lame.h"

#include <stdlib.h>

#include <lame/lame.h>

#define FULL_SCALE 32768.0f
/* lame.h: the worst case of one call. */
#define ROOM(samples) ((samples) + (samples) / 4 + 7200)

/* A stream that grows up to what its samples can need at most. */
struct stream {
	uint8_t *bytes; /* owned */
	size_t len, cap;
};

static void
stream_free(struct stream *s)
{
	free(s->bytes);
}

static void
lame_free(lame_t lame)
{
	if (lame)
		(void)lame_close(lame);
}
SCOPE_DEFINE(struct lame_global_struct, lame_free)

static void
lame_say_nothing(const char *format, va_list args)
{
	(void)format;
	(void)args;
}

static int
lame_choose_mode(lame_t lame, const struct mp3_format *f)
{
	if (f->vbr == MP3_VBR_OFF)
		return lame_set_VBR(lame, vbr_off) < 0 ||
				       lame_set_brate(lame, f->bit_rate / 1000) < 0
			       ? -1
			       : 0;
	/* Without a reservoir every frame fits by itself, and what it saves is saved by the splice.
	 */
	return lame_set_VBR(lame, vbr_mtrh) < 0 || lame_set_VBR_q(lame, f->vbr) < 0 ||
			       lame_set_disable_reservoir(lame, 1) < 0
		       ? -1
		       : 0;
}

static int
lame_open(const struct mp3_format *f, bool header, lame_t *ret, struct err *e)
{
	SCOPED(lame_free_p) lame_t lame = lame_init();

	if (!lame)
		return err_set(e, ERR_NO_MEMORY, "encoder");
	lame_set_errorf(lame, lame_say_nothing);
	lame_set_msgf(lame, lame_say_nothing);
	lame_set_debugf(lame, lame_say_nothing);
	if (lame_set_in_samplerate(lame, f->sample_rate) < 0 ||
	    lame_set_out_samplerate(lame, f->sample_rate) < 0 ||
	    lame_set_num_channels(lame, f->channels) < 0 ||
	    lame_set_mode(lame, f->channels == 1 ? MONO : JOINT_STEREO) < 0 ||
	    lame_choose_mode(lame, f) < 0 || lame_set_quality(lame, f->quality) < 0 ||
	    lame_set_bWriteVbrTag(lame, header) < 0 || lame_init_params(lame) < 0)
		return err_set(e, ERR_INVALID, "lame refuses %d Hz, %d channels, %d bit/s",
			       f->sample_rate, f->channels, f->bit_rate);
	*ret = TAKE(lame);
	return 0;
}

static int
stream_reserve(struct stream *s, size_t room, struct err *e)
{
	size_t cap = s->cap * 2 > s->len + room ? s->cap * 2 : s->len + room;
	uint8_t *bytes;

	if (s->cap - s->len >= room)
		return 0;
	if (!(bytes = realloc(s->bytes, cap)))
		return err_set(e, ERR_NO_MEMORY, "mp3 stream");
	s->bytes = bytes;
	s->cap = cap;
	return 0;
}

static int
stream_take_result(struct stream *s, int result, struct err *e)
{
	if (result < 0)
		return err_set(e, result == -2 ? ERR_NO_MEMORY : ERR_INTERNAL, "lame answered %d",
			       result);
	s->len += (size_t)result;
	return 0;
}

/* lame_encode_buffer_ieee_float would scale by 32767; ffmpeg's files are made this way. What LAME's
 * presets take away (5 % at 128 kbit/s) is given back: a result is as loud as its source. */
static int
lame_encode_piece(lame_t lame, int channels, struct pcm_piece *piece, struct stream *s,
		  struct err *e)
{
	float *right = piece->planes[channels - 1], scale = FULL_SCALE / lame_get_scale(lame);
	int r;

	for (int c = 0; c < channels; c++)
		for (size_t i = 0; i < piece->count; i++)
			piece->planes[c][i] *= scale;
	if ((r = stream_reserve(s, ROOM(piece->count), e)) < 0)
		return r;
	return stream_take_result(s,
				  lame_encode_buffer_float(lame, piece->planes[0], right,
							   (int)piece->count, s->bytes + s->len,
							   (int)(s->cap - s->len)),
				  e);
}

static int
lame_encode_all(lame_t lame, int channels, struct pcm *pcm, struct stream *s, struct err *e)
{
	struct pcm_piece *piece;
	int r = 0;

	while (r == 0 && (piece = pcm_take(pcm))) {
		r = lame_encode_piece(lame, channels, piece, s, e);
		free(piece);
	}
	return r;
}

int
mp3_lame_encode(const struct mp3_format *format, struct pcm *pcm, enum lame_end end,
		struct mp3_frames *ret, struct err *e)
{
	SCOPED(lame_free_p) lame_t lame = NULL;
	SCOPED(stream_free) struct stream s = { 0 };
	int r;

	if ((r = lame_open(format, false, &lame, e)) < 0 ||
	    (r = lame_encode_all(lame, format->channels, pcm, &s, e)) < 0 ||
	    (r = stream_reserve(&s, ROOM(2 * 1152), e)) < 0)
		return r;
	r = end == LAME_END_LAST
		    ? lame_encode_flush(lame, s.bytes + s.len, (int)(s.cap - s.len))
		    : lame_encode_flush_nogap(lame, s.bytes + s.len, (int)(s.cap - s.len));
	if ((r = stream_take_result(&s, r, e)) < 0)
		return r;
	return mp3_frames_unpack(format, s.bytes, s.len, ret, e);
}

int
mp3_lame_header(const struct mp3_format *format, uint8_t ret[MP3_FRAME_MAX], size_t *ret_len,
		struct err *e)
{
	SCOPED(lame_free_p) lame_t lame = NULL;
	uint8_t bytes[ROOM(2 * 1152)];
	float silence[1152] = { 0 };
	size_t len;
	int r;

	if ((r = lame_open(format, true, &lame, e)) < 0)
		return r;
	/* LAME has no header before its first frame is out. */
	if (lame_encode_buffer_float(lame, silence, silence, 1152, bytes, sizeof bytes) < 0 ||
	    lame_encode_flush(lame, bytes, sizeof bytes) < 0)
		return err_set(e, ERR_INTERNAL, "lame cannot encode silence");
	len = lame_get_lametag_frame(lame, ret, MP3_FRAME_MAX);
	if (len == 0 || len > MP3_FRAME_MAX)
		return err_set(e, ERR_INTERNAL, "lame has no header of its own");
	*ret_len = len;
	return 0;
}
