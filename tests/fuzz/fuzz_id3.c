/* Fuzz target: the writer of ID3 tags. Each field: a byte that says how often its text is repeated,
 * the text up to a NUL. Then the length and loudness of the sound, a byte that says how many chapters
 * there are, each chapter's length in two bytes and its title like a field; what follows is the
 * picture. A reader that knows the standard alone (ID3v2.4, and its addendum on chapters) must find
 * a tag that ends where it says, with frames that are short, in UTF-8 and printable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/tags/id3.h"

#define TEXT_MAX ((size_t)2 * TAG_LYRICS_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes one field's text; NULL = none. */
static char *
take_text(const uint8_t **data, size_t *size)
{
	size_t times, len = 0;
	char *text;

	if (*size == 0)
		return NULL;
	times = *(*data)++;
	(*size)--;
	while (len < *size && (*data)[len] != 0)
		len++;
	if (len > 0 && times > TEXT_MAX / len)
		times = TEXT_MAX / len;
	if (!(text = malloc(len * times + 1)))
		abort();
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, *data, len);
	text[len * times] = '\0';
	len += len < *size;
	*data += len;
	*size -= len;
	return text;
}

static size_t
size_at(const uint8_t *at)
{
	size_t value = 0;

	for (int i = 0; i < 4; i++) {
		if (at[i] > 0x7f)
			abort();
		value = value << 7 | at[i];
	}
	return value;
}

/* Words of one frame, without the NUL that ends them. */
static void
check_words(const char *words, size_t len, bool many_lines, size_t max)
{
	static char again[TAG_LYRICS_MAX], copy[TAG_LYRICS_MAX + 1];

	if (len < 1 || len > max || !utf8_valid(words, len))
		abort();
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)words[i];

		if (c == 0x7f || (c < 0x20 && !(many_lines && c == '\n')) ||
		    (c == 0xc2 && (unsigned char)words[i + 1] < 0xa0))
			abort();
	}
	/* what is clean stays as it is */
	memcpy(copy, words, len);
	copy[len] = '\0';
	if (tags_clean(copy, many_lines ? TAG_MANY_LINES : TAG_ONE_LINE, again, max) != len ||
	    memcmp(again, copy, len) != 0)
		abort();
}

static void
check_date(const char *date, size_t len)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";

	if (len < 4 || len > TAG_DATE_MAX || (len - 4) % 3 != 0)
		abort();
	for (size_t i = 0; i < len; i++)
		if (form[i] == 'd' ? date[i] < '0' || date[i] > '9' : date[i] != form[i])
			abort();
}

static bool
is(const char *name, const char *wanted)
{
	return memcmp(name, wanted, 4) == 0;
}

/* "-6.50 dB", or "0.501187" */
static void
check_gain(const char *text, size_t len)
{
	double value;
	int used = 0;
	bool gain = strcmp(text, "REPLAYGAIN_TRACK_GAIN") == 0;

	text += strlen(text) + 1;
	if (sscanf(text, gain ? "%lf dB%n" : "%lf%n", &value, &used) != 1 ||
	    len != strlen("REPLAYGAIN_TRACK_GAIN") + 1 + (size_t)used ||
	    !(value >= (gain ? -99.99 : 0) && value < 100))
		abort();
}

static void
check_text(const char *name, const char *text, size_t len)
{
	char code[TAG_LANGUAGE_LEN];

	if (is(name, "COMM"))
		check_words(text, len, true, TAG_COMMENT_MAX);
	else if (is(name, "USLT"))
		check_words(text, len, true, TAG_LYRICS_MAX);
	else if (is(name, "TDRC"))
		check_date(text, len);
	else if (is(name, "TLAN") && (len != 3 || tags_language(text, code) != 3))
		abort();
	else if (is(name, "TCMP") && (len != 1 || text[0] != '1'))
		abort();
	else if (is(name, "TXXX"))
		check_gain(text, len);
	else
		check_words(text, len, false, TAG_TEXT_MAX);
}

static void
check_frame(const char *name, const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	size_t front = is(name, "COMM") || is(name, "USLT") ? 5 : 1;

	if (len < front + 2 || data[0] != 3 || data[len - 1] != 0 || text[front] == 0)
		abort();
	if (front == 5 && (text[4] != 0 || (is(name, "COMM") && memcmp(text + 1, "XXX", 3) != 0)))
		abort();
	for (size_t i = 1; front == 5 && i < 4; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || text[i] == 'X'))
			abort();
	check_text(name, text + front, len - front - 1);
}

static void
check_contents(const uint8_t *data, size_t len, size_t count)
{
	char id[8];
	size_t at = 6;

	if (len < 6 || memcmp(data, "toc\0\3", 5) != 0 || data[5] != count)
		abort();
	for (size_t i = 0; i < count; i++) {
		size_t size = (size_t)snprintf(id, sizeof id, "ch%zu", i) + 1;

		if (size > len - at || memcmp(data + at, id, size) != 0)
			abort();
		at += size;
	}
	if (at != len)
		abort();
}

static uint32_t
number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void
check_chapter(const uint8_t *data, size_t len, size_t number, const struct tags *content,
	      int64_t length_ms)
{
	const struct tag_chapter *chapter = &content->chapters[number];
	char id[8];
	size_t at = (size_t)snprintf(id, sizeof id, "ch%zu", number) + 1, size;
	uint32_t start, end;

	if (len < at + 16 || memcmp(data, id, at) != 0)
		abort();
	start = number_at(data + at);
	end = number_at(data + at + 4);
	at += 16;
	if (start != chapter->start_ms || end < start || end > chapter->end_ms ||
	    (number + 1 == content->chapter_count && end > start && end > length_ms) ||
	    number_at(data + at - 8) != UINT32_MAX || number_at(data + at - 4) != UINT32_MAX)
		abort();
	if (at == len)
		return;
	if (len < at + 10 || !is((const char *)data + at, "TIT2") || data[at + 8] || data[at + 9])
		abort();
	size = size_at(data + at + 4);
	at += 10;
	if (size != len - at || size < 3 || data[at] != 3 || data[len - 1] != 0)
		abort();
	check_words((const char *)data + at + 1, size - 2, false, TAG_CHAPTER_TITLE_MAX);
}

static void
check_picture(const uint8_t *data, size_t len, const struct tags *content)
{
	static const char jpeg[] = "\3image/jpeg\0\3", png[] = "\3image/png\0\3";
	size_t front = len - content->picture_len;
	bool is_jpeg = front == sizeof jpeg && memcmp(data, jpeg, front) == 0;
	bool is_png = front == sizeof png && memcmp(data, png, front) == 0;

	if (content->picture_len == 0 || len < content->picture_len || (!is_jpeg && !is_png) ||
	    memcmp(data + front, content->picture, content->picture_len) != 0)
		abort();
}

static void
check_any(const char *name, const uint8_t *data, size_t len, const struct tags *content,
	  size_t chapter, int64_t length_ms)
{
	if (is(name, "APIC"))
		check_picture(data, len, content);
	else if (is(name, "CTOC"))
		check_contents(data, len, content->chapter_count);
	else if (is(name, "CHAP"))
		check_chapter(data, len, chapter, content, length_ms);
	else
		check_frame(name, data, len);
}

/* Frames in this order, then nothing but padding. */
static void
check_tag(const uint8_t *tag, size_t len, const struct tags *content, int64_t length_ms)
{
	static const char names[][5] = { "TIT2", "TPE1", "TALB", "TRCK", "TDRC", "TCON", "COMM",
					 "TPE2", "TCOM", "TPOS", "TCMP", "TLAN", "USLT", "TSSE",
					 "CTOC", "CHAP", "APIC", "CHAP", "TXXX", "TXXX" };
	size_t at = 10, next = 0, chapters = 0, pictures = 0;

	if (memcmp(tag, "ID3\4\0\0", 6) != 0 || size_at(tag + 6) + 10 != len)
		abort();
	while (at < len && tag[at] != 0) {
		const char *name = (const char *)tag + at;
		size_t size;

		while (next < ARRAY_LEN(names) && !is(name, names[next]))
			next++;
		if (next == ARRAY_LEN(names) || len - at < 10 || tag[at + 8] || tag[at + 9])
			abort(); /* no such frame, or not in this order */
		next += is(name, "CHAP") && next < 17 ? 0 : 1;
		size = size_at(tag + at + 4);
		at += 10;
		if (size > len - at)
			abort();
		check_any(name, tag + at, size, content, chapters, length_ms);
		chapters += is(name, "CHAP");
		pictures += is(name, "APIC");
		at += size;
	}
	for (; at < len; at++)
		if (tag[at] != 0)
			abort();
	if (chapters != content->chapter_count || pictures != (content->picture_len > 0))
		abort();
}

static uint8_t
take_byte(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}

static struct job_loudness
take_loudness(const uint8_t **data, size_t *size)
{
	uint8_t which = take_byte(data, size);
	double lufs = take_byte(data, size), peak = take_byte(data, size);

	return (struct job_loudness){ .has_integrated = which & 1,
				      .has_true_peak = which & 2,
				      .integrated_lufs = lufs * (which & 4 ? 1e7 : -0.37),
				      .true_peak_dbtp = peak * (which & 8 ? 1e7 : -1.13) };
}

static void
take_chapters(const uint8_t **data, size_t *size, struct tags *ret, char *titles[TAG_CHAPTERS_MAX])
{
	size_t count = take_byte(data, size);
	uint32_t at = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t high = take_byte(data, size);
		uint32_t length = (uint32_t)high << (high & 15) | take_byte(data, size);
		uint32_t end = length < UINT32_MAX - at ? at + length : UINT32_MAX;

		titles[i] = take_text(data, size);
		ret->chapters[i] = (struct tag_chapter){ at, end, titles[i] };
		at = high & 1 && end < UINT32_MAX ? end : at;
	}
	ret->chapter_count = count;
}

static void
write_and_check(const struct tags *content, int64_t length_ms, const struct job_loudness *loudness)
{
	uint8_t *tag = malloc(ID3_HEAD_MAX + content->picture_len + ID3_TAIL_MAX);
	struct id3_tail tail;
	size_t len;

	if (!tag)
		abort();
	len = id3_write(content, tag, &tail);
	if (len > ID3_HEAD_MAX || tail.len > ID3_TAIL_MAX)
		abort();
	if (content->picture_len > 0)
		memcpy(tag + len, content->picture, content->picture_len);
	len += content->picture_len;
	memcpy(tag + len, tail.bytes, tail.len);
	check_tag(tag, len + tail.len, content, INT64_MAX);
	id3_tail_settle(&tail, length_ms, loudness);
	memcpy(tag + len, tail.bytes, tail.len);
	check_tag(tag, len + tail.len, content, length_ms);
	free(tag);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tags content = { 0 };
	char *texts[TAG_FIELDS], *titles[TAG_CHAPTERS_MAX];
	struct job_loudness loudness;
	int64_t length_ms;

	for (int i = 0; i < TAG_FIELDS; i++)
		content.text[i] = texts[i] = take_text(&data, &size);
	loudness = take_loudness(&data, &size);
	length_ms = take_byte(&data, &size);
	length_ms <<= take_byte(&data, &size) & 31;
	take_chapters(&data, &size, &content, titles);
	if (tags_picture_type(data, size)) {
		content.picture = data;
		content.picture_len = size;
	}
	write_and_check(&content, length_ms, &loudness);
	for (int i = 0; i < TAG_FIELDS; i++)
		free(texts[i]);
	for (size_t i = 0; i < content.chapter_count; i++)
		free(titles[i]);
	return 0;
}
