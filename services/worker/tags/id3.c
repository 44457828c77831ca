#include "worker/tags/id3.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 10
#define FRAME_HEADER_BYTES 10
#define ENCODING_UTF8 3
#define FRONT_COVER 3
#define TOP_LEVEL_AND_ORDERED 3
#define CHAPTER_ID_MAX 6   /* "ch254" and its NUL */
#define CHAPTER_WORDS 16   /* start and end: ms, then bytes, which are not said */
#define GAIN_LUFS (-18.0)  /* ReplayGain 2.0 */
#define GAIN_MAX 99.99     /* dB: "-99.99 dB" */
#define PEAK_MAX 99.999999 /* of full scale */
#define GAIN_NAME "REPLAYGAIN_TRACK_GAIN"
#define PEAK_NAME "REPLAYGAIN_TRACK_PEAK"
#define GAIN_BYTES (FRAME_HEADER_BYTES + 1 + sizeof GAIN_NAME + sizeof "-99.99 dB")
#define PEAK_BYTES (FRAME_HEADER_BYTES + 1 + sizeof PEAK_NAME + sizeof "99.999999")
/* As many bytes, so that one function writes both. */
static_assert(sizeof GAIN_NAME == sizeof PEAK_NAME && GAIN_BYTES == PEAK_BYTES, "of one length");
#define CHAPTER_BYTES                                                                              \
	(2 * FRAME_HEADER_BYTES + CHAPTER_ID_MAX + CHAPTER_WORDS + 1 + TAG_CHAPTER_TITLE_MAX + 1)

static_assert(ID3_HEAD_MAX > (TAG_FIELDS - 2) * (TAG_TEXT_MAX + 16) + TAG_COMMENT_MAX +
				     TAG_LYRICS_MAX +
				     TAG_CHAPTERS_MAX * (CHAPTER_BYTES + CHAPTER_ID_MAX) + 256,
	      "the longest texts fit");
static_assert(ID3_TAIL_MAX >= CHAPTER_BYTES + GAIN_BYTES + PEAK_BYTES, "the longest tail fits");

static const char software[] = "Tonearm " TONEARM_VERSION;
/* In this order; a field without a name is a part of another one. */
static const char names[TAG_FIELDS][5] = {
	[TAG_TITLE] = "TIT2",   [TAG_ARTIST] = "TPE1",       [TAG_ALBUM] = "TALB",
	[TAG_TRACK] = "TRCK",   [TAG_DATE] = "TDRC",         [TAG_GENRE] = "TCON",
	[TAG_COMMENT] = "COMM", [TAG_ALBUM_ARTIST] = "TPE2", [TAG_COMPOSER] = "TCOM",
	[TAG_DISC] = "TPOS",    [TAG_COMPILATION] = "TCMP",  [TAG_LANGUAGE] = "TLAN",
	[TAG_LYRICS] = "USLT",
};

static void
id3_put_number(uint8_t *to, uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (uint8_t)value;
}

/* ID3v2.4 sizes: four bytes of seven bits each. */
static void
id3_put_size(uint8_t *to, size_t size)
{
	for (int i = 3; i >= 0; i--, size >>= 7)
		to[i] = (uint8_t)(size & 0x7f);
}

static size_t
id3_put_frame_header(uint8_t *to, const char *name, size_t size)
{
	memcpy(to, name, 4);
	id3_put_size(to + 4, size);
	to[8] = to[9] = 0;
	return FRAME_HEADER_BYTES;
}

/* A frame of a text: front stands before its words, which are at their place already. */
static size_t
id3_put_frame_of_words(uint8_t *to, const char *name, const char *front, size_t front_len,
		       size_t len)
{
	uint8_t *at = to + FRAME_HEADER_BYTES;

	if (len == 0)
		return 0;
	memcpy(at, front, front_len);
	at[front_len + len] = '\0';
	return id3_put_frame_header(to, name, front_len + len + 1) + front_len + len + 1;
}

static size_t
id3_put_text(uint8_t *to, const struct tags *tags, enum tag_field field)
{
	/* What stands in front of longer texts: a language, and no description. */
	char front[] = { ENCODING_UTF8, 'X', 'X', 'X', '\0' };
	size_t front_len = field == TAG_COMMENT || field == TAG_LYRICS ? sizeof front : 1;
	char *words = (char *)to + FRAME_HEADER_BYTES + front_len;

	if (field == TAG_LYRICS)
		(void)tags_words(tags, TAG_LYRICS_LANGUAGE, front + 1);
	return id3_put_frame_of_words(to, names[field], front, front_len,
				      tags_words(tags, field, words));
}

/* But for its bytes. */
static size_t
id3_put_picture(uint8_t *to, const struct tags *tags)
{
	const char *type = tags_picture_type(tags->picture, tags->picture_len);
	uint8_t *at = to + FRAME_HEADER_BYTES;
	size_t len = strlen(type) + 1;

	*at++ = ENCODING_UTF8;
	memcpy(at, type, len);
	at += len;
	*at++ = FRONT_COVER;
	*at++ = '\0'; /* no description */
	len = (size_t)(at - to);
	(void)id3_put_frame_header(to, "APIC", len - FRAME_HEADER_BYTES + tags->picture_len);
	return len;
}

static size_t
id3_put_chapter_id(uint8_t *to, size_t chapter)
{
	return (size_t)snprintf((char *)to, CHAPTER_ID_MAX, "ch%u", (unsigned)chapter) + 1;
}

/* The table of contents: which chapters there are. */
static size_t
id3_put_contents(uint8_t *to, const struct tags *tags)
{
	static const char id[] = "toc";
	uint8_t *at = to + FRAME_HEADER_BYTES;

	memcpy(at, id, sizeof id);
	at += sizeof id;
	*at++ = TOP_LEVEL_AND_ORDERED;
	*at++ = (uint8_t)tags->chapter_count;
	for (size_t i = 0; i < tags->chapter_count; i++)
		at += id3_put_chapter_id(at, i);
	(void)id3_put_frame_header(to, "CTOC", (size_t)(at - to) - FRAME_HEADER_BYTES);
	return (size_t)(at - to);
}

static size_t
id3_put_chapter(uint8_t *to, const struct tags *tags, size_t i, size_t *ret_end_at)
{
	static const char front[] = { ENCODING_UTF8 };
	const struct tag_chapter *chapter = &tags->chapters[i];
	uint8_t *at = to + FRAME_HEADER_BYTES;

	at += id3_put_chapter_id(at, i);
	id3_put_number(at, chapter->start_ms);
	*ret_end_at = (size_t)(at - to) + 4;
	id3_put_number(at + 4,
		       chapter->end_ms == TAG_CHAPTER_OPEN ? chapter->start_ms : chapter->end_ms);
	memset(at + 8, 0xff, CHAPTER_WORDS - 8);
	at += CHAPTER_WORDS;
	if (chapter->title)
		at += id3_put_frame_of_words(
			at, "TIT2", front, sizeof front,
			tags_clean(chapter->title, TAG_ONE_LINE,
				   (char *)at + FRAME_HEADER_BYTES + sizeof front,
				   TAG_CHAPTER_TITLE_MAX));
	(void)id3_put_frame_header(to, "CHAP", (size_t)(at - to) - FRAME_HEADER_BYTES);
	return (size_t)(at - to);
}

static void
id3_begin_tail(const struct tags *tags, struct id3_tail *ret)
{
	*ret = (struct id3_tail){ 0 };
	if (tags->chapter_count > 0) {
		ret->last = tags->chapters[tags->chapter_count - 1];
		ret->last.title = NULL;
		ret->gain_at =
			id3_put_chapter(ret->bytes, tags, tags->chapter_count - 1, &ret->end_at);
	}
	ret->len = ret->gain_at + GAIN_BYTES + PEAK_BYTES;
	/* the title's blanks at its end were written and left out again */
	memset(ret->bytes + ret->gain_at, 0, ret->len - ret->gain_at);
}

size_t
id3_write(const struct tags *tags, uint8_t to[ID3_HEAD_MAX], struct id3_tail *ret_tail)
{
	uint8_t *at = to + HEADER_BYTES;
	size_t end_at;

	for (enum tag_field field = 0; field < TAG_FIELDS; field++)
		if (names[field][0])
			at += id3_put_text(at, tags, field);
	at += id3_put_frame_header(at, "TSSE", 1 + sizeof software);
	*at++ = ENCODING_UTF8;
	memcpy(at, software, sizeof software);
	at += sizeof software;
	if (tags->chapter_count > 0)
		at += id3_put_contents(at, tags);
	for (size_t i = 0; i + 1 < tags->chapter_count; i++)
		at += id3_put_chapter(at, tags, i, &end_at);
	if (tags->picture_len > 0)
		at += id3_put_picture(at, tags);
	id3_begin_tail(tags, ret_tail);
	memset(to, 0, HEADER_BYTES);
	memcpy(to, "ID3\4", 4);
	id3_put_size(to + 6, (size_t)(at - to) - HEADER_BYTES + tags->picture_len + ret_tail->len);
	return (size_t)(at - to);
}

static size_t
id3_put_gain(uint8_t *to, const char *name, double value, int decimals, const char *unit)
{
	char front[1 + sizeof GAIN_NAME] = { ENCODING_UTF8 };
	char *words = (char *)to + FRAME_HEADER_BYTES + sizeof front;
	int len;

	memcpy(front + 1, name, sizeof GAIN_NAME);
	len = snprintf(words, sizeof "-99.99 dB", "%.*f%s", decimals, value, unit);
	return id3_put_frame_of_words(to, "TXXX", front, sizeof front, (size_t)len);
}

static double
within(double value, double min, double max)
{
	return value < min ? min : value > max ? max : value;
}

void
id3_tail_settle(struct id3_tail *tail, int64_t length_ms, const struct job_loudness *loudness)
{
	uint8_t *at = tail->bytes + tail->gain_at;
	int64_t end = tail->last.end_ms < length_ms ? tail->last.end_ms : length_ms;

	if (tail->end_at > 0)
		id3_put_number(tail->bytes + tail->end_at,
			       end > tail->last.start_ms ? (uint32_t)end : tail->last.start_ms);
	memset(at, 0, tail->len - tail->gain_at);
	/* 0.0 + makes -0 a 0 */
	if (loudness->has_integrated)
		at += id3_put_gain(at, GAIN_NAME,
				   0.0 + rint(100 * within(GAIN_LUFS - loudness->integrated_lufs,
							   -GAIN_MAX, GAIN_MAX)) /
						   100,
				   2, " dB");
	if (loudness->has_true_peak)
		(void)id3_put_gain(at, PEAK_NAME,
				   within(pow(10, loudness->true_peak_dbtp / 20), 0, PEAK_MAX), 6,
				   "");
}
