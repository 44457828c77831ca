#include "worker/mp3/totals.h"

void
mp3_totals_begin(struct mp3_totals *t)
{
	*t = (struct mp3_totals){ .seek.step = 1 };
}

static void
totals_note_position(struct mp3_totals *totals)
{
	struct mp3_seek_table *t = &totals->seek;

	if (totals->frames % t->step != 0)
		return;
	if (t->count == MP3_SEEK_POINTS) {
		for (int i = 0; i < MP3_SEEK_POINTS / 2; i++)
			t->points[i] = t->points[2 * i];
		t->count /= 2;
		t->step *= 2;
	}
	if (totals->frames % t->step == 0)
		t->points[t->count++] = totals->bytes;
}

void
mp3_totals_frame(struct mp3_totals *t, size_t bytes)
{
	totals_note_position(t);
	t->frames++;
	t->bytes += (int64_t)bytes;
}

uint16_t
mp3_crc(uint16_t crc, const uint8_t *bytes, size_t len)
{
	/* four bits at a time */
	static const uint16_t table[16] = {
		0x0000, 0xcc01, 0xd801, 0x1400, 0xf001, 0x3c00, 0x2800, 0xe401,
		0xa001, 0x6c00, 0x7800, 0xb401, 0x5000, 0x9c01, 0x8801, 0x4400,
	};

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ bytes[i]);
		crc = (uint16_t)(crc >> 4 ^ table[crc & 15]);
		crc = (uint16_t)(crc >> 4 ^ table[crc & 15]);
	}
	return crc;
}
