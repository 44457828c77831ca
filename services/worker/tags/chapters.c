#include "worker/tags/chapters.h"

#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/mathematics.h>

/* A time that cannot be comes out as one far before zero. */
static int64_t
chapters_ms(int64_t time, AVRational base, int64_t zero_ms)
{
	return av_sat_sub64(av_rescale_q(time, base, (AVRational){ 1, 1000 }), zero_ms);
}

static bool
chapters_take(const AVChapter *from, int64_t zero_ms, struct tag_chapter *ret)
{
	int64_t start = chapters_ms(from->start, from->time_base, zero_ms);
	int64_t end = chapters_ms(from->end, from->time_base, zero_ms);
	const AVDictionaryEntry *title = av_dict_get(from->metadata, "title", NULL, 0);

	if (start < 0 && end > 0)
		start = 0;
	if (start < 0 || start >= TAG_CHAPTER_OPEN)
		return false;
	if (end <= start || end >= TAG_CHAPTER_OPEN)
		end = TAG_CHAPTER_OPEN;
	*ret = (struct tag_chapter){ (uint32_t)start, (uint32_t)end, title ? title->value : NULL };
	return true;
}

/* Behind those that start no later. */
static void
chapters_insert(struct tags *tags, const struct tag_chapter *chapter)
{
	size_t at = tags->chapter_count++;

	for (; at > 0 && tags->chapters[at - 1].start_ms > chapter->start_ms; at--)
		tags->chapters[at] = tags->chapters[at - 1];
	tags->chapters[at] = *chapter;
}

void
chapters_read(const AVFormatContext *format, int64_t zero_ms, struct tags *ret)
{
	struct tag_chapter chapter;

	ret->chapter_count = ret->chapters_left_out = 0;
	for (unsigned i = 0; i < format->nb_chapters; i++) {
		if (!chapters_take(format->chapters[i], zero_ms, &chapter))
			continue;
		if (ret->chapter_count < TAG_CHAPTERS_MAX)
			chapters_insert(ret, &chapter);
		else
			ret->chapters_left_out++;
	}
	for (size_t i = 1; i < ret->chapter_count; i++)
		if (ret->chapters[i - 1].end_ms == TAG_CHAPTER_OPEN)
			ret->chapters[i - 1].end_ms = ret->chapters[i].start_ms;
}
