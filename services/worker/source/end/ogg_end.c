#include "worker/source/end/ogg_end.h"

#include <string.h>

#define HEAD 27 /* bytes, and one for each segment */
#define SEGMENTS_MAX 255
#define PAGE_MAX (HEAD + SEGMENTS_MAX + SEGMENTS_MAX * 255)
#define CONTINUED 0x01
#define LAST 0x04

struct ogg_page {
	uint8_t head[HEAD], segments[SEGMENTS_MAX];
	int64_t body;
};

int
opus_samples(const uint8_t *packet, int64_t len)
{
	static const int silk[4] = { 480, 960, 1920, 2880 }, hybrid[2] = { 480, 960 };
	int config, frame, frames;

	if (len < 1)
		return 0;
	config = packet[0] >> 3;
	frame = config < 12   ? silk[config & 3]
		: config < 16 ? hybrid[config & 1]
			      : 120 << (config & 3);
	frames = (packet[0] & 3) == 0 ? 1 : (packet[0] & 3) < 3 ? 2 : len > 1 ? packet[1] & 63 : 0;
	return frame * frames;
}

static int64_t
ogg_page_end(const struct ogg_page *page)
{
	int64_t end = page->body;

	for (int i = 0; i < page->head[26]; i++)
		end += page->segments[i];
	return end;
}

static bool
ogg_read_page(struct input *in, int64_t at, struct ogg_page *ret)
{
	if (at > in->size - HEAD || !input_peek(in, at, ret->head, HEAD) ||
	    memcmp(ret->head, "OggS", 5) != 0 || ret->head[26] > in->size - at - HEAD ||
	    (ret->head[26] > 0 && !input_peek(in, at + HEAD, ret->segments, ret->head[26])))
		return false;
	ret->body = at + HEAD + ret->head[26];
	return true;
}

/* Of all packets in a page; -1 when one of them began in the page before. */
static int64_t
ogg_count_opus(struct input *in, const struct ogg_page *page)
{
	int64_t at = page->body, len = 0, samples = 0;
	uint8_t start[2];

	if (page->head[5] & CONTINUED)
		return -1;
	for (int i = 0; i < page->head[26]; i++) {
		len += page->segments[i];
		if (page->segments[i] == 255)
			continue;
		if (len > 0 && input_peek(in, at, start, len > 1 ? 2 : 1))
			samples += opus_samples(start, len);
		at += len;
		len = 0;
	}
	return samples;
}

static int64_t
ogg_granule(const struct ogg_page *page)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | page->head[6 + i];
	return (int64_t)value;
}

void
ogg_end_find(struct input *in, struct ogg_end *ret)
{
	int64_t first = in->size > 2 * PAGE_MAX ? in->size - 2 * PAGE_MAX : 0;
	struct ogg_page page;

	*ret = (struct ogg_end){ .at = -1, .samples = -1 };
	for (int64_t at = in->size - HEAD; at >= first; at--)
		if (ogg_read_page(in, at, &page)) {
			ret->at = at;
			ret->says_end = (page.head[5] & LAST) && ogg_page_end(&page) <= in->size;
			ret->granule = ogg_granule(&page);
			ret->samples = ogg_count_opus(in, &page);
			return;
		}
}
