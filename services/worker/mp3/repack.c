#include "worker/mp3/repack.h"

#include <string.h>

#define FLUSH_AT (MP3_REPACK_OUT - 2 * MP3_FRAME_MAX)

int
mp3_repack_begin(struct mp3_repack *p, const struct mp3_format *format,
		 void (*write)(void *arg, const void *data, size_t len), void *arg, struct err *e)
{
	bool cbr = format->vbr == MP3_VBR_OFF;
	int index = cbr ? mp3_bit_rate_index(format, e) : 1;

	if (index < 0)
		return index;
	*p = (struct mp3_repack){ .format = *format, .m = mp3_measure(format), .write = write };
	p->arg = arg;
	p->least_index = index;
	mp3_totals_begin(&p->totals);
	/* What a frame lacks in whole bytes comes as a padding byte now and then, first after a
	 * full sample rate of it: as LAME counts. */
	if (cbr)
		p->slot_step = (int)((int64_t)(p->m.frame_samples / 8) * format->bit_rate %
				     format->sample_rate);
	p->slot_lag = p->slot_step;
	return 0;
}

static bool
repack_next_is_padded(struct mp3_repack *p)
{
	if (p->slot_step == 0)
		return false;
	p->slot_lag -= p->slot_step;
	if (p->slot_lag >= 0)
		return false;
	p->slot_lag += p->format.sample_rate;
	return true;
}

/* Fills free space with the next bytes, or, without data, with zeros. */
static void
repack_fill(struct mp3_repack *p, const uint8_t *data, size_t len)
{
	p->free -= len;
	while (len > 0) {
		size_t n = p->spaces[p->first].len < len ? p->spaces[p->first].len : len;

		if (data) {
			memcpy(p->out + p->spaces[p->first].at, data, n);
			data += n;
		}
		len -= n;
		p->spaces[p->first].at += n;
		p->spaces[p->first].len -= n;
		if (p->spaces[p->first].len == 0) {
			p->first = (p->first + 1) % MP3_REPACK_SPACES;
			p->spaces_used--;
		}
	}
}

/* Everything in front of the first free space is final. */
static void
repack_flush(struct mp3_repack *p)
{
	size_t done = p->spaces_used ? p->spaces[p->first].at : p->out_len;

	if (done == 0)
		return;
	p->write(p->arg, p->out, done);
	p->totals.crc = mp3_crc(p->totals.crc, p->out, done);
	memmove(p->out, p->out + done, p->out_len - done);
	p->out_len -= done;
	for (unsigned i = 0; i < p->spaces_used; i++)
		p->spaces[(p->first + i) % MP3_REPACK_SPACES].at -= done;
}

static void
repack_write_head(struct mp3_repack *p, const struct mp3_frame *frame, int index, bool padded,
		  size_t reservoir)
{
	size_t len = MP3_HEADER_BYTES + (size_t)p->m.side_bytes;
	uint8_t *head = p->out + p->out_len, *side = head + MP3_HEADER_BYTES;

	memcpy(head, frame->head, len);
	head[2] = (uint8_t)(index << 4 | (head[2] & 0x0d) | (padded ? 2 : 0));
	if (p->m.mpeg1) {
		side[0] = (uint8_t)(reservoir >> 1);
		side[1] = (uint8_t)((reservoir & 1) << 7 | (side[1] & 0x7f));
	} else {
		side[0] = (uint8_t)reservoir;
	}
	p->out_len += len;
}

static void
repack_add_space(struct mp3_repack *p, size_t len)
{
	unsigned last = (p->first + p->spaces_used) % MP3_REPACK_SPACES;

	if (len == 0)
		return;
	memset(p->out + p->out_len, 0, len);
	p->spaces[last].at = p->out_len;
	p->spaces[last].len = len;
	p->spaces_used++;
	p->out_len += len;
	p->free += len;
}

int
mp3_repack_frame(struct mp3_repack *p, const struct mp3_frame *frame, const uint8_t *main,
		 struct err *e)
{
	size_t head = MP3_HEADER_BYTES + (size_t)p->m.side_bytes, bytes;
	size_t reservoir =
		p->free < (size_t)p->m.reservoir_max ? p->free : (size_t)p->m.reservoir_max;
	bool padded = repack_next_is_padded(p);
	int index = p->least_index;

	while ((bytes = mp3_frame_bytes(&p->format, index, padded)) > 0 &&
	       bytes + reservoir < head + frame->main_len)
		index++;
	if (bytes == 0)
		return err_set(e, ERR_CORRUPT, "no mp3 frame holds %u bytes", frame->main_len);
	if (p->out_len > FLUSH_AT)
		repack_flush(p);
	repack_fill(p, NULL, p->free - reservoir);
	mp3_totals_frame(&p->totals, bytes);
	repack_write_head(p, frame, index, padded, reservoir);
	repack_add_space(p, bytes - head);
	repack_fill(p, main, frame->main_len);
	return 0;
}

void
mp3_repack_end(struct mp3_repack *p)
{
	repack_fill(p, NULL, p->free);
	repack_flush(p);
}
