/* Fuzz target: the writer of ID3 tags. Each field: a byte that says how often its text is repeated,
 * the text up to a NUL; what follows is the picture. A reader that knows the standard alone
 * (ID3v2.4) must find a tag that ends where it says, with frames that are short, in UTF-8 and
 * printable. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text/str.h"
#include "worker/tags/id3.h"

#define TEXT_MAX ((size_t)4 * TAG_COMMENT_MAX)

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
	char again[TAG_COMMENT_MAX], copy[TAG_COMMENT_MAX + 1];

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

static void
check_frame(const char *name, const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;

	if (len < 3 || data[0] != 3 || data[len - 1] != 0)
		abort();
	if (memcmp(name, "COMM", 4) == 0) {
		if (len < 7 || memcmp(text + 1, "XXX", 4) != 0)
			abort();
		check_words(text + 5, len - 6, true, TAG_COMMENT_MAX);
	} else if (memcmp(name, "TDRC", 4) == 0) {
		check_date(text + 1, len - 2);
	} else {
		check_words(text + 1, len - 2, false, TAG_TEXT_MAX);
	}
}

static void
check_picture(const uint8_t *data, size_t len, size_t picture_len)
{
	static const char jpeg[] = "\3image/jpeg\0\3", png[] = "\3image/png\0\3";
	bool is_jpeg = len == sizeof jpeg && memcmp(data, jpeg, len) == 0;
	bool is_png = len == sizeof png && memcmp(data, png, len) == 0;

	if (picture_len == 0 || (!is_jpeg && !is_png))
		abort();
}

static void
check_tag(const uint8_t *tag, size_t len, size_t picture_len)
{
	static const char names[][5] = { "TIT2", "TPE1", "TALB", "TRCK", "TDRC",
					 "TCON", "COMM", "TSSE", "APIC" };
	size_t at = 10, next = 0;

	if (len > ID3_HEAD_MAX || memcmp(tag, "ID3\4\0\0", 6) != 0 ||
	    size_at(tag + 6) + 10 != len + picture_len)
		abort();
	for (; at < len; next++) {
		const char *name = (const char *)tag + at;
		size_t size = size_at(tag + at + 4);

		while (next < ARRAY_LEN(names) && memcmp(name, names[next], 4) != 0)
			next++;
		if (next == ARRAY_LEN(names) || tag[at + 8] || tag[at + 9])
			abort(); /* no such frame, or not in this order */
		at += 10;
		if (memcmp(name, "APIC", 4) == 0) {
			if (size != len - at + picture_len)
				abort();
			check_picture(tag + at, len - at, picture_len);
			return;
		}
		if (size > len - at)
			abort();
		check_frame(name, tag + at, size);
		at += size;
	}
	if (at != len || picture_len > 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tags content = { 0 };
	char *texts[TAG_FIELDS];
	uint8_t *tag = malloc(ID3_HEAD_MAX);
	size_t len;

	if (!tag)
		abort();
	for (int i = 0; i < TAG_FIELDS; i++)
		content.text[i] = texts[i] = take_text(&data, &size);
	if (tags_picture_type(data, size)) {
		content.picture = data;
		content.picture_len = size;
	}
	len = id3_write(&content, tag);
	check_tag(tag, len, content.picture_len);
	for (int i = 0; i < TAG_FIELDS; i++)
		free(texts[i]);
	free(tag);
	return 0;
}
